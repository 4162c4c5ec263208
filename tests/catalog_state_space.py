"""The state-space layers' part of the table: rows of `catalog.Entry`, all small."""

import functools

import keras
import numpy as np

BATCH, TIME, FEATURES, UNITS = 3, 6, 5, 4
MAMBA = {"state_dim": 3, "kernel_size": 3, "delta_rank": 2}
MAMBA2 = {"head_dim": 2, "state_dim": 3, "kernel_size": 3}
# The others have one chunk here.
LOOPS = {"Mamba", "Mamba-zoh", "RWKV4", "RWKV7", "RWKV7-one_head"}
LOOPS |= {"ResidualStack-mamba", "ResidualStack-rwkv7"}
RWKV7 = {"head_size": 2, "decay_rank": 2, "rate_rank": 3, "value_rank": 2}
RANKS = {"decay_rank": 2, "rate_rank": 3, "value_rank": 2, "gate_rank": 3}


def block(sizes, **options):
    """Two blocks, and all that the second one returns."""

    def build(layer_class):
        x = inputs = keras.Input((TIME, FEATURES), name="x")
        x = layer_class(UNITS, **sizes, name="first")(x)
        second = layer_class(
            UNITS, **sizes, **options, return_state=True, name="second"
        )
        parts = [keras.layers.Flatten()(part) for part in second(x)]
        return keras.Model({"x": inputs}, keras.layers.Concatenate()(parts))

    return build


def residual_blocks(**options):
    """The same of blocks that are added to their inputs."""

    def build(layer_class):
        x = inputs = keras.Input((TIME, UNITS), name="x")
        x = x + layer_class(UNITS, name="first")(x)
        second = layer_class(UNITS, **options, return_state=True, name="second")
        parts = [keras.layers.Flatten()(part) for part in second(x)]
        return keras.Model({"x": inputs}, keras.layers.Concatenate()(parts))

    return build


def value_residual(**options):
    """The same of two blocks, the second with the values of the first."""

    def build(layer_class):
        x = inputs = keras.Input((TIME, UNITS), name="x")
        block = functools.partial(layer_class, UNITS, **RANKS)
        outputs, value = block(return_value=True, name="first", **options)(x)
        rest = {"value_residual": True, "return_state": True, "depth": 0.5}
        second = block(**rest, name="second", **options)
        found = second(x + outputs, first_value=value)
        parts = [keras.layers.Flatten()(part) for part in found]
        return keras.Model({"x": inputs}, keras.layers.Concatenate()(parts))

    return build


def stack(**options):
    """A stack, and all that it returns."""

    def build(layer_class):
        inputs = keras.Input((TIME, UNITS), name="x")
        layer = layer_class(UNITS, 2, **options, return_state=True, name="stack")
        found = layer(inputs)
        parts = [keras.layers.Flatten()(part) for part in found]
        return keras.Model({"x": inputs}, keras.layers.Concatenate()(parts))

    return build


def sequences(features=FEATURES):
    generator = np.random.default_rng(11)
    return {"x": generator.normal(size=(BATCH, TIME, features)).astype("float32")}


def narrow_sequences():
    return sequences(UNITS)


ROWS = [
    ("Mamba", "", block(MAMBA), sequences),
    ("Mamba", "zoh", block(MAMBA, discretization="zoh", expansion=1), sequences),
    ("Mamba2", "", block(MAMBA2), sequences),
    ("Mamba2", "groups", block(MAMBA2, num_groups=2), sequences),
    ("S4D", "", block({"state_dim": 6}), sequences),
    (
        "S4D",
        "bilinear",
        block({"state_dim": 6}, discretization="bilinear", gated=False),
        sequences,
    ),
    ("RWKV4", "", residual_blocks(mlp_dim=6, depth=0.5), narrow_sequences),
    ("RWKV7", "", value_residual(head_size=2), narrow_sequences),
    ("ResidualStack", "mamba", stack(cell="mamba", **MAMBA), narrow_sequences),
    ("ResidualStack", "rwkv7", stack(cell="rwkv7", **RWKV7), narrow_sequences),
    ("RWKV7", "one_head", value_residual(head_size=4, mlp_dim=6), narrow_sequences),
]
