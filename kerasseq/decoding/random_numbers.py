"""Random numbers out of a seed that is an input, in ops that every phone has.

A .tflite file keeps the seed of its random ops as a constant, and draws on from call to
call. Here the state is a tensor of small integers, and the same seed gives the same
numbers on TensorFlow, on JAX and in an exported file.
"""

import numpy as np
from keras import ops

# Wichmann and Hill (1982): three multiplicative generators whose products fit int32.
FACTORS = np.array([171, 172, 170], "int32")
MODULI = np.array([30269, 30307, 30323], "int32")


def start(seeds):
    """The first state of each row.

    Args:
        seeds: Integer tensor `(num_rows,)`.

    Returns:
        int32 tensor `(num_rows, 3)`, from 1 to the moduli less 1.
    """
    seeds = ops.cast(seeds, "int32")
    # Each generator gets other digits of the seed.
    parts = [seeds % 30011, seeds // 30011 % 30013, seeds % 29989]
    state = ops.stack(parts, axis=-1) % (MODULI - 1) + 1
    for _ in range(4):  # squares, so that neighbors do not stay neighbors
        turned = ops.concatenate([state[:, 1:], state[:, :1]], axis=1)
        state = (state * state % MODULI + turned) % (MODULI - 1) + 1
    return state


def uniform(state):
    """Draws one number for each row.

    Args:
        state: int32 tensor `(num_rows, 3)`, from `start` or the draw before.

    Returns:
        `(numbers, state)`: float32 `(num_rows,)` in [0, 1), and the new state.

    Reference:
        Wichmann and Hill (1982), Algorithm AS 183.
    """
    state = state * FACTORS % MODULI
    total = ops.sum(ops.cast(state, "float32") / MODULI.astype("float32"), axis=-1)
    return total - ops.floor(total), state
