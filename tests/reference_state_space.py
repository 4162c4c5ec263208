"""State-space layers in plain NumPy, float64 throughout.

`w` holds the weights by path. Written for reading: one line an equation.
"""

import numpy as np
from reference_vision import dense, gelu


def silu(x):
    return x / (1 + np.exp(-x))


def linear(x, w, name):
    return x @ w[f"{name}/kernel"]


def rms_norm(x, w, name):
    scaled = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * w[f"{name}/scale"]


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
    h = h.swapaxes(1, 2)  # channels last
    return linear(y * silu(z), w, f"{name}/out_projection"), last, h


def mamba2(u, w, name, head_dim, groups=1):
    """Dao and Gu (2024), equation 1 with A a number in the block of figure 6.

    Returns the outputs, the last inputs of the convolution, and the last state h.
    """
    a = -np.exp(w[f"{name}/a_log"])
    W, norm = w[f"{name}/kernel"], w[f"{name}/scale"]
    batch, length, heads, width = *u.shape[:2], len(a), len(norm)
    read = linear(u, w, f"{name}/in_projection")
    z, x, dt = np.split(read, [width, read.shape[-1] - heads], -1)
    window = np.concatenate([np.zeros((batch, len(W) - 1, x.shape[-1])), x], 1)
    x = np.stack([(window[:, t : t + len(W)] * W).sum(1) for t in range(length)], 1)
    x = silu(x + w[f"{name}/bias"])
    x, B, C = np.split(x, [width, (width + x.shape[-1]) // 2], -1)
    x = x.reshape(batch, length, heads, head_dim)
    B, C = (v.reshape(batch, length, groups, -1) for v in (B, C))
    B, C = (np.repeat(v, heads // groups, 2) for v in (B, C))
    dt = np.log1p(np.exp(dt + w[f"{name}/delta_bias"]))
    h, outputs = np.zeros((batch, heads, head_dim, B.shape[-1])), []
    for t in range(length):
        decay = np.exp(dt[:, t] * a)[..., None, None]
        h = decay * h + np.einsum("bh,bhp,bhn->bhpn", dt[:, t], x[:, t], B[:, t])
        outputs.append(np.einsum("bhpn,bhn->bhp", h, C[:, t]))
    y = np.stack(outputs, 1) + w[f"{name}/skip"][:, None] * x
    y = (y.reshape(batch, length, width) * silu(z)).reshape(batch, length, groups, -1)
    y = y / np.sqrt((y**2).mean(-1, keepdims=True) + 1e-5)
    y = y.reshape(batch, length, width) * norm
    return linear(y, w, f"{name}/out_projection"), window[:, length:], h


def s4d(x, w, name, bilinear=False, gated=True):
    """Gu et al. (2022), equations 2 and 3, in complex numbers.

    Returns the outputs and the last state, its real parts before the imaginary ones.
    """
    A = -np.exp(w[f"{name}/a_log"]) + 1j * w[f"{name}/frequency"]
    C = w[f"{name}/output_weights"][0] + 1j * w[f"{name}/output_weights"][1]
    dt = np.exp(w[f"{name}/delta_log"])[:, None]
    if bilinear:
        dA, dB = (1 + dt * A / 2) / (1 - dt * A / 2), dt / (1 - dt * A / 2)
    else:
        dA, dB = np.exp(dt * A), (np.exp(dt * A) - 1) / A
    h, outputs = np.zeros((len(x), *A.shape), complex), []
    for t in range(x.shape[1]):
        h = dA * h + dB * x[:, t, :, None]
        outputs.append(2 * (C * h).sum(-1).real)
    y = gelu(np.stack(outputs, 1) + w[f"{name}/skip"] * x)
    y = dense(y, w, f"{name}/projection")
    if gated:
        y, gate = np.split(y, 2, -1)
        y = y / (1 + np.exp(-gate))
    return y, np.concatenate([h.real, h.imag], -1)
