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


def irnn_cell(x, state, W, R, b=0.0):
    (h,) = state
    h = np.maximum(x @ W + h @ R + b, 0)
    return h, [h]


def normalize(z):
    return (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-5)


def layer_norm_lstm_cell(x, state, W, R, b, gain_x, gain_h, gain_c, b_c):
    """Ba et al. (2016), equations 20 to 22."""
    h, c = state
    z = normalize(x @ W) * gain_x + normalize(h @ R) * gain_h + b
    i, f, g, o = np.split(z, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(normalize(c) * gain_c + b_c)
    return h, [h, c]


def peephole_lstm_cell(x, state, W, R, b, peepholes):
    """Graves (2013), equations 7 to 11."""
    h, c = state
    w_i, w_f, w_o = peepholes
    i, f, g, o = np.split(x @ W + h @ R + b, 4, axis=-1)
    i, f = sigmoid(i + w_i * c), sigmoid(f + w_f * c)
    c = f * c + i * np.tanh(g)
    h = sigmoid(o + w_o * c) * np.tanh(c)
    return h, [h, c]


def zoneout_lstm_cell(x, state, W, R, b=0.0, rate_h=0.05, rate_c=0.5):
    """Krueger et al. (2017), section 3.2, at inference."""
    h, c = state
    _, (new_h, new_c) = lstm_cell(x, state, W, R, b)
    h = rate_h * h + (1 - rate_h) * new_h
    c = rate_c * c + (1 - rate_c) * new_c
    return h, [h, c]


CELLS = {
    "simple_rnn": simple_rnn_cell,
    "lstm": lstm_cell,
    "gru": gru_cell,
    "irnn": irnn_cell,
    "layer_norm_lstm": layer_norm_lstm_cell,
    "peephole_lstm": peephole_lstm_cell,
    "zoneout_lstm": zoneout_lstm_cell,
}
MERGES = {
    "concat": lambda directions: np.concatenate(directions, axis=-1),
    "sum": lambda directions: np.sum(directions, axis=0),
    "ave": lambda directions: np.mean(directions, axis=0),
    "mul": lambda directions: np.prod(directions, axis=0),
}


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


def stacked_rnn(cell, x, weights, mask=None, states=None, merge="sum", residual=False):
    """`weights`: for each layer a list for each direction, and `states` likewise.

    Returns the outputs of all steps, the final output, and the states."""
    final, all_states = 0.0, []
    for index, directions in enumerate(weights):
        outputs, ends = [], []
        for k, matrices in enumerate(directions):
            zeros = np.zeros((len(x), matrices[1].shape[0]))
            start = [zeros] * (2 if "lstm" in cell else 1)
            start = states[index][k] if states else start
            zero_masked = len(directions) == 2
            h, end = run(CELLS[cell], x, start, matrices, mask, k == 1, zero_masked)
            outputs.append(h[:, ::-1] if k == 1 else h)
            ends.append(end)
        add = residual and index > 0
        x = MERGES[merge](outputs) + (x if add else 0.0)
        final = MERGES[merge]([end[0] for end in ends]) + (final if add else 0.0)
        all_states += sum(ends, [])
    return x, final, all_states


def language_model(tokens, states, arrays, *, cell, num_layers, residual, tied):
    """`models.language_model` on its weights; returns the logits and the states."""
    table, *cells = arrays
    end = -1 if tied else -2
    cells, output = cells[:end], cells[end:]
    each, size = len(states) // num_layers, len(cells) // num_layers
    weights = [[cells[size * k : size * (k + 1)]] for k in range(num_layers)]
    states = [[states[each * k : each * (k + 1)]] for k in range(num_layers)]
    x, _, states = stacked_rnn(
        cell, table[tokens], weights, states=states, residual=residual
    )
    logits = x @ output[0] @ table.T if tied else x @ output[0] + output[1]
    return logits, states


def attention_decoder(
    x, memory, mask, w, *, cell, attention, feeding, residual, states=None
):
    """The decoder; `w` holds `cells` (lists of W, R, b), `output` (W, b) and, where
    the score needs them, `query`, `key` and `score`. `states` are those of all layers,
    one after the other."""
    batch, units = len(x), w["cells"][0][1].shape[0]
    kinds = 2 if "lstm" in cell else 1
    states = states or [np.zeros((batch, units))] * (kinds * len(w["cells"]))
    states = [states[k : k + kinds] for k in range(0, len(states), kinds)]
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
    keys = memory if attention == "dot" else memory @ w["key"]
    if attention != "additive":
        return np.einsum("bu,bsu->bs", state, keys) / np.sqrt(state.shape[-1])
    return np.tanh((state @ w["query"])[:, None] + keys) @ w["score"]
