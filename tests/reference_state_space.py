"""State-space layers in plain NumPy, float64 throughout.

`w` holds the weights by path. Written for reading: one line an equation.
"""

import numpy as np
from reference_vision import dense


def silu(x):
    return x / (1 + np.exp(-x))


def linear(x, w, name):
    return x @ w[f"{name}/kernel"]


def mamba(u, w, name, zoh=False):
    """Gu and Dao (2023), algorithm 2 in the block of figure 3, from a state of zeros.

    Returns the outputs, the last inputs of the convolution, and the last state h.
    """
    A = -np.exp(w[f"{name}/a_log"])
    W = w[f"{name}/kernel"]  # (kernel_size, channels)
    channels, states = A.shape
    x, z = np.split(linear(u, w, f"{name}/in_projection"), 2, -1)
    window = np.concatenate([np.zeros((len(u), len(W) - 1, channels)), x], 1)
    steps = range(u.shape[1])
    x = np.stack([(window[:, t : t + len(W)] * W).sum(1) for t in steps], 1)
    x = silu(x + w[f"{name}/bias"])
    read = linear(x, w, f"{name}/x_projection")
    dt, B, C = np.split(read, [read.shape[-1] - 2 * states, -states], -1)
    dt = np.log1p(np.exp(dense(dt, w, f"{name}/delta_projection")))
    h, outputs = np.zeros((len(u), channels, states)), []
    for t in steps:
        dA = dt[:, t, :, None] * A
        rate = (np.exp(dA) - 1) / A if zoh else dt[:, t, :, None]
        h = np.exp(dA) * h + rate * B[:, t, None] * x[:, t, :, None]
        outputs.append((h * C[:, t, None]).sum(-1))
    y = np.stack(outputs, 1) + w[f"{name}/skip"] * x
    last = window[:, u.shape[1] :]
    return linear(y * silu(z), w, f"{name}/out_projection"), last, h
