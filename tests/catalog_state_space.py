"""The state-space layers' part of the table: rows of `catalog.Entry`, all small."""

import keras
import numpy as np

BATCH, TIME, FEATURES, UNITS = 3, 6, 5, 4
MAMBA = {"state_dim": 3, "kernel_size": 3, "delta_rank": 2}
MAMBA2 = {"head_dim": 2, "state_dim": 3, "kernel_size": 3}
LOOPS = {"Mamba", "Mamba-zoh"}  # the others have one chunk here


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


def sequences():
    generator = np.random.default_rng(11)
    return {"x": generator.normal(size=(BATCH, TIME, FEATURES)).astype("float32")}


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
]
