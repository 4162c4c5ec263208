"""Blocks of RWKV in plain NumPy, float64 throughout.

`w` holds the weights by path. Written for reading: one line an equation.
"""

import numpy as np
from reference_state_space import linear


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def norm(x, w, name):
    centered = x - x.mean(-1, keepdims=True)
    scaled = centered / np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * w[f"{name}/gamma"] + w[f"{name}/beta"]


def one_before(x):
    """The input before each step; zeros before the first."""
    return np.concatenate([0 * x[:, :1], x[:, :-1]], 1)


def rwkv4(x, w, name):
    """Peng et al. (2023), a block but its outermost residual, from a state of zeros.

    Returns the outputs; the last input of the time mix; numerator and denominator of
    WKV as multiples of exp(maximum), and that maximum; the last input of the channel
    mix.
    """
    normed = norm(x, w, f"{name}/ln1")
    a, *sums = rwkv4_time_mix(normed, w, f"{name}/att")
    seen = norm(x + a, w, f"{name}/ln2")
    outputs = a + rwkv4_channel_mix(seen, w, f"{name}/ffn")
    return outputs, normed[:, -1], *sums, seen[:, -1]


def rwkv4_mixed(x, w, name):
    return x * w[name] + one_before(x) * (1 - w[name])


def rwkv4_time_mix(x, w, name):
    r, k, v = (
        linear(rwkv4_mixed(x, w, f"{name}/time_mix_{key[0]}"), w, f"{name}/{key}")
        for key in ("receptance", "key", "value")
    )
    decay, u = np.exp(w[f"{name}/time_decay"]), w[f"{name}/time_first"]
    A = B = np.zeros_like(k[:, 0])
    top, averages = np.full_like(A, -np.inf), []
    for t in range(x.shape[1]):
        own = np.exp(u + k[:, t])
        averages.append((A + own * v[:, t]) / (B + own))
        A = np.exp(-decay) * A + np.exp(k[:, t]) * v[:, t]
        B = np.exp(-decay) * B + np.exp(k[:, t])
        top = np.maximum(top - decay, k[:, t])
    y = sigmoid(r) * np.stack(averages, 1)
    scale = np.exp(-top)
    return linear(y, w, f"{name}/output"), A * scale, B * scale, top


def rwkv4_channel_mix(x, w, name):
    k = linear(rwkv4_mixed(x, w, f"{name}/time_mix_k"), w, f"{name}/key")
    r = linear(rwkv4_mixed(x, w, f"{name}/time_mix_r"), w, f"{name}/receptance")
    return sigmoid(r) * linear(np.maximum(k, 0) ** 2, w, f"{name}/value")


def rwkv7(x, w, name, head_size, first=None):
    """Peng et al. (2025), a block but its outermost residual, from a state of zeros.

    `first` holds the values of the first block, for the others. Returns the outputs,
    the block's own values, and the states.
    """
    normed = norm(x, w, f"{name}/ln1")
    t, value, S = rwkv7_time_mix(normed, w, f"{name}/att", head_size, first)
    seen = norm(x + t, w, f"{name}/ln2")
    k = linear(rwkv7_mixed(seen, w[f"{name}/ffn/x_k"]), w, f"{name}/ffn/key")
    outputs = t + linear(np.maximum(k, 0) ** 2, w, f"{name}/ffn/value")
    return outputs, value, [normed[:, -1], S, seen[:, -1]]


def rwkv7_mixed(x, mix):
    return x + (one_before(x) - x) * mix


def rwkv7_time_mix(x, w, name, head_size, first):
    def weight(key):
        return w[f"{name}/{key}"]

    def heads(y):
        return y.reshape(*y.shape[:2], -1, head_size)

    mixed = {key: rwkv7_mixed(x, weight(f"x_{key}")) for key in "rwkvag"}
    r = linear(mixed["r"], w, f"{name}/receptance")
    k = linear(mixed["k"], w, f"{name}/key")
    v = value = linear(mixed["v"], w, f"{name}/value")
    if first is not None:
        mix = sigmoid(weight("v0") + mixed["v"] @ weight("v1") @ weight("v2"))
        v = v + (first - v) * mix
    z = weight("w0") + np.tanh(mixed["w"] @ weight("w1")) @ weight("w2")
    decay = np.exp(-np.exp(-np.log1p(np.exp(-z)) - 0.5))
    a = sigmoid(weight("a0") + mixed["a"] @ weight("a1") @ weight("a2"))
    g = sigmoid(mixed["g"] @ weight("g1")) @ weight("g2")
    p = heads(k * weight("k_k"))
    p = p / np.linalg.norm(p, axis=-1, keepdims=True)
    k = k * (1 + (a - 1) * weight("k_a"))
    r, k, v, a, decay = (heads(y) for y in (r, k, v, a, decay))
    y, S = delta_rule(r, decay, k, v, p, a * p)
    y = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 64e-5)
    y = y.reshape(x.shape) * weight("ln_x/gamma") + weight("ln_x/beta")
    bonus = (r * k * weight("r_k")).sum(-1, keepdims=True) * v
    return linear((y + bonus.reshape(x.shape)) * g, w, f"{name}/output"), value, S


def delta_rule(r, w, k, v, p, q):
    """S_t = S_{t-1} (diag(w) - p q^T) + v k^T and y_t = S_t r_t, of each head."""
    size, outputs = r.shape[-1], []
    S = np.zeros((len(r), r.shape[2], v.shape[-1], size))
    for t in range(r.shape[1]):
        keep = w[:, t, :, None] * np.eye(size) - p[:, t, :, :, None] * q[:, t, :, None]
        S = S @ keep + v[:, t, :, :, None] * k[:, t, :, None]
        outputs.append((S @ r[:, t, :, :, None])[..., 0])
    return np.stack(outputs, 1), S
