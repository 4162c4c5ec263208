"""A random number generator whose seed is an input, made of basic ops.

In a .tflite file the seed of random ops is a constant, and the numbers differ from call
to call. Here the state is a tensor of small integers, and a seed gives the same numbers
on TensorFlow, on JAX and in an exported file.
"""

import numpy as np
from keras import ops

# Wichmann and Hill (1982): three multiplicative generators whose products fit int32.
FACTORS = np.array([171, 172, 170], "int32")
MODULI = np.array([30269, 30307, 30323], "int32")


def start(seeds):
    """Returns the initial state per row.

    Args:
        seeds: Integer tensor of shape `(num_rows,)`.

    Returns:
        int32 tensor of shape `(num_rows, 3)`, each from 1 to its modulus minus 1.
    """
    seeds = ops.cast(seeds, "int32")
    # Each generator depends on other digits of the seed.
    parts = [seeds % 30011, seeds // 30011 % 30013, seeds % 29989]
    state = ops.stack(parts, axis=-1) % (MODULI - 1) + 1
    for _ in range(4):  # squaring separates the states of neighboring seeds
        rolled = ops.concatenate([state[:, 1:], state[:, :1]], axis=1)
        state = (state * state % MODULI + rolled) % (MODULI - 1) + 1
    return state


def uniform(state):
    """Draws one uniform random number per row.

    Args:
        state: int32 tensor of shape `(num_rows, 3)`, from `start` or the previous call.

    Returns:
        `(numbers, state)`: float32 of shape `(num_rows,)` in [0, 1), and the new state.

    Reference:
        Wichmann and Hill (1982), Algorithm AS 183.
    """
    state = state * FACTORS % MODULI
    total = ops.sum(ops.cast(state, "float32") / MODULI.astype("float32"), axis=-1)
    return total - ops.floor(total), state
