"""The recurrent cells and the attention decoder in plain NumPy, float64 throughout.

Written for reading: one loop over time, one line an equation. `W` input kernel, `R`
recurrent kernel, `b` bias.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def simple_rnn_cell(x, state, W, R, b=0.0):
    (h,) = state
    h = np.tanh(x @ W + h @ R + b)
    return h, [h]


def lstm_cell(x, state, W, R, b=0.0):
    h, c = state
    i, f, g, o = np.split(x @ W + h @ R + b, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, [h, c]


def gru_cell(x, state, W, R, b=None):
    """`reset_after`, with a bias of shape `(2, 3 * units)`."""
    (h,) = state
    b_in, b_rec = (0.0, 0.0) if b is None else b
    x_z, x_r, x_g = np.split(x @ W + b_in, 3, axis=-1)
    h_z, h_r, h_g = np.split(h @ R + b_rec, 3, axis=-1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    h = z * h + (1 - z) * np.tanh(x_g + r * h_g)
    return h, [h]


def gru_reset_before_cell(x, state, W, R, b=0.0):
    (h,) = state
    units = h.shape[-1]
    x_z, x_r, x_g = np.split(x @ W + b, 3, axis=-1)
    z = sigmoid(x_z + h @ R[:, :units])
    r = sigmoid(x_r + h @ R[:, units : 2 * units])
    g = np.tanh(x_g + (r * h) @ R[:, 2 * units :])
    h = z * h + (1 - z) * g
    return h, [h]


CELLS = {"simple_rnn": simple_rnn_cell, "lstm": lstm_cell, "gru": gru_cell}


def run(cell, x, state, weights, mask=None, go_backwards=False, zero_masked=False):
    """Loops a cell over `x` `(batch, time, features)`; outputs in order of steps."""
    steps = range(x.shape[1])
    output = np.zeros_like(state[0])
    outputs = []
    for t in reversed(steps) if go_backwards else steps:
        h, new = cell(x[:, t], state, *weights)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        output = np.where(keep, h, 0.0 if zero_masked else output)
        state = [np.where(keep, n, s) for n, s in zip(new, state, strict=True)]
        outputs.append(output)
    return np.stack(outputs, axis=1), state


def attention_decoder(x, memory, mask, w, *, cell, attention, feeding, residual):
    """The decoder; `w` holds `cells` (lists of W, R, b), `output` (W, b) and, where
    the score needs them, `query`, `key` and `score`."""
    batch, units = len(x), w["cells"][0][1].shape[0]
    zeros = np.zeros((batch, units))
    states = [[zeros, zeros] if cell == "lstm" else [zeros] for _ in w["cells"]]
    fed = np.zeros((batch, w["output"][0].shape[1]))
    outputs, weights = [], []
    for t in range(x.shape[1]):
        top = np.concatenate([x[:, t], fed], -1) if feeding else x[:, t]
        for layer, matrices in enumerate(w["cells"]):
            h, states[layer] = CELLS[cell](top, states[layer], *matrices)
            top = top + h if layer and residual else h
        score = scores(top, memory, w, attention)
        attended = softmax(np.where(mask, score, -1e9))
        context = np.einsum("bs,bsm->bm", attended, memory)
        W, b = w["output"]
        fed = np.tanh(np.concatenate([top, context], -1) @ W + b)
        outputs.append(fed)
        weights.append(attended)
    return np.stack(outputs, 1), np.stack(weights, 1)


def scores(state, memory, w, attention):
    if attention == "dot":
        return np.einsum("bu,bsu->bs", state, memory)
    keys = memory @ w["key"]
    if attention == "general":
        return np.einsum("bu,bsu->bs", state, keys)
    return np.tanh((state @ w["query"])[:, None] + keys) @ w["score"]
