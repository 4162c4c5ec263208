"""The Transformer in plain NumPy, float64 throughout, written for reading.

`w` holds the weights by their path in the model: `w["decoder/block_0/output/bias"]`.
"""

import numpy as np
from reference import softmax
from reference_vision import dense, gelu, relu

NEVER = -1e9


def attention(x, w, name, *, heads, groups=None, memory=None, seen=None, **options):
    """`seen` `(batch, keys)` tells which keys may be looked at."""
    groups, size = groups or heads, x.shape[-1] // heads
    if memory is None:
        y = dense(x, w, f"{name}/query_key_value")
        q, k, v = np.split(y, [heads * size, (heads + groups) * size], axis=-1)
    else:
        q = dense(x, w, f"{name}/query")
        k, v = np.split(dense(memory, w, f"{name}/key_value"), 2, axis=-1)
    q, k, v = (y.reshape(*y.shape[:2], -1, size) for y in (q, k, v))
    if options.get("positions") == "rotary":
        q, k = rotary(q), rotary(k)
    distance = np.arange(q.shape[1])[:, None] - np.arange(k.shape[1])
    outputs = []
    for head in range(heads):
        group = head // (heads // groups)
        scores = q[:, :, head] @ k[:, :, group].swapaxes(1, 2) / np.sqrt(size)
        if options.get("positions") == "alibi":
            scores = scores - abs(distance) * 2.0 ** (-8 * (head + 1) / heads)
        if options.get("causal"):
            scores = np.where(distance < 0, NEVER, scores)
        if seen is not None:
            scores = np.where(seen[:, None], scores, NEVER)
        outputs.append(softmax(scores) @ v[:, :, group])
    return dense(np.concatenate(outputs, axis=-1), w, f"{name}/output")


def rotary(x):
    """Su et al. (2021), as a product of complex numbers."""
    half = x.shape[-1] // 2
    angles = np.arange(x.shape[1])[:, None] * 1e4 ** (-np.arange(half) / half)
    turned = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angles)[:, None]
    return np.concatenate([turned.real, turned.imag], axis=-1)


def norm(x, w, name, kind="layer", epsilon=1e-5):
    if kind == "rms":
        x = x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + epsilon)
        return x * w[f"{name}/scale"]
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + epsilon)
    return x * w[f"{name}/gamma"] + w[f"{name}/beta"]


def feed_forward(x, w, name, activation="relu"):
    x = dense(x, w, f"{name}/hidden")
    if activation == "swiglu":
        gate, x = np.split(x, 2, axis=-1)
        x = gate / (1 + np.exp(-gate)) * x
    else:
        x = {"relu": relu, "gelu": gelu}[activation](x)
    return dense(x, w, f"{name}/output")


def block(x, w, name, *, heads, memory=None, seen=None, norm_first=True, **options):
    """`seen` is of the memory if there is one."""
    look = options.copy()
    kind, activation = look.pop("norm", "layer"), look.pop("activation", "relu")
    own = None if memory is not None else seen

    def attend(y):
        return attention(y, w, f"{name}/attention", heads=heads, seen=own, **look)

    def attend_memory(y):
        path = f"{name}/memory_attention"
        return attention(y, w, path, heads=heads, memory=memory, seen=seen)

    parts = [("attention", attend)]
    if memory is not None:
        parts.append(("memory", attend_memory))
    parts.append(("mlp", lambda y: feed_forward(y, w, name, activation)))
    for part, function in parts:
        if norm_first:
            x = x + function(norm(x, w, f"{name}/{part}_norm", kind))
        else:
            x = norm(x + function(x), w, f"{name}/{part}_norm", kind)
    return x


def stack(x, w, name, *, num_layers, positions="sinusoidal", scale=False, **options):
    if scale:
        x = x * np.sqrt(x.shape[-1])
    if positions in ("sinusoidal", "learned"):
        x = token_positions(x, w.get(f"{name}/positions/table"))
        positions = None
    for index in range(num_layers):
        x = block(x, w, f"{name}/block_{index}", positions=positions, **options)
    if options.get("norm_first", True):
        x = norm(x, w, f"{name}/norm", options.get("norm", "layer"))
    return x


def token_positions(x, table=None):
    """Vaswani et al. (2017), section 3.5, sines first, then cosines."""
    length, features = x.shape[1:]
    if table is None:
        rates = 1e4 ** (-np.arange(0, features, 2) / features)
        angles = np.arange(length)[:, None] * rates
        table = np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)
    return x + table[:length]


def window_stack(x, states, w, name, *, heads, window, **options):
    """One pre-norm block over a window; outputs, then the states."""
    filled, keys, values = states
    kind, activation = options.get("norm", "layer"), options.get("activation", "relu")
    block, length, size = f"{name}/block_0", x.shape[1], x.shape[-1] // heads
    y = norm(x, w, f"{block}/attention_norm", kind)
    y = dense(y, w, f"{block}/attention/query_key_value")
    q, k, v = (
        part.reshape(*part.shape[:2], heads, size) for part in np.split(y, 3, axis=-1)
    )
    keys, values = (np.concatenate(pair, axis=1) for pair in ((keys, k), (values, v)))
    filled = np.concatenate([filled, np.ones((len(x), length))], axis=1)
    looked = np.zeros_like(q)
    for row in range(len(x)):
        for time in range(length):
            for head in range(heads):
                looked[row, time, head] = _look_back(
                    q[row, time, head],
                    keys[row, time : time + window + 1, head],
                    values[row, time : time + window + 1, head],
                    filled[row, time : time + window + 1],
                    2.0 ** (-8 * (head + 1) / heads),
                    options["positions"],
                )
    x = x + dense(looked.reshape(x.shape), w, f"{block}/attention/output")
    y = norm(x, w, f"{block}/mlp_norm", kind)
    x = norm(x + feed_forward(y, w, block, activation), w, f"{name}/norm", kind)
    return [x, filled[:, length:], keys[:, length:], values[:, length:]]


def _look_back(q, keys, values, filled, slope, positions):
    """One head of one token, whose own key is the last."""
    distance = np.arange(len(keys))[::-1]
    if positions == "rotary":
        q = rotary(np.concatenate([keys[:-1], q[None]])[None, :, None])[0, -1, 0]
        keys = rotary(keys[None, :, None])[0, :, 0]
    scores = keys @ q / np.sqrt(len(q))
    if positions == "alibi":
        scores = scores - slope * distance
    return softmax(np.where(filled > 0, scores, NEVER)) @ values


def transformer(source, target, w, **options):
    options = {"scale": True} | options
    seen = source != 0
    tables = [w.get("embedding/embeddings")] * 2
    reverse = tables[0]
    if reverse is None:
        paths = [f"{name}_embedding/embeddings" for name in ("source", "target")]
        tables = [w[path] for path in paths]
        reverse = w["target_embedding/reverse_embeddings"].T
    memory = stack(tables[0][source], w, "blocks", seen=seen, **options)
    options |= {"memory": memory, "seen": seen, "causal": True}
    return stack(tables[1][target], w, "decoder", **options) @ reverse.T
