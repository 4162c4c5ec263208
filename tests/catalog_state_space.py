"""The state-space layers' part of the table: rows of `catalog.Entry`, all small."""

import keras
import numpy as np

BATCH, TIME, FEATURES, UNITS = 3, 6, 5, 4
SIZES = {"state_dim": 3, "kernel_size": 3, "delta_rank": 2}


def block(**options):
    """Two blocks, and all that the second one returns."""

    def build(layer_class):
        x = inputs = keras.Input((TIME, FEATURES), name="x")
        x = layer_class(UNITS, **SIZES, name="first")(x)
        second = layer_class(
            UNITS, **SIZES, **options, return_state=True, name="second"
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


def sequences(features=FEATURES):
    generator = np.random.default_rng(11)
    return {"x": generator.normal(size=(BATCH, TIME, features)).astype("float32")}


def narrow_sequences():
    return sequences(UNITS)


ROWS = [
    ("Mamba", "", block(), sequences),
    ("Mamba", "zoh", block(discretization="zoh", expansion=1), sequences),
    ("RWKV4", "", residual_blocks(mlp_dim=6, depth=0.5), narrow_sequences),
]
