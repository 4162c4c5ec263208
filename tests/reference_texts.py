"""The text classifier in plain NumPy, float64 throughout, written for reading.

`w` holds the weights by their path in the model: `w["encoder/layer_0/bias"]`.
"""

import numpy as np
from reference import softmax, stacked_rnn
from reference_transformer import stack
from reference_vision import dense, relu

LOW = -3e4


def text_classifier(tokens, w, *, arch, pooling, num_layers=1, units, **options):
    valid = tokens != 0
    x = w["embedding/embeddings"][tokens]
    x = ENCODERS.get(arch, recurrent)(x, valid, w, arch, num_layers, **options)
    return dense(POOLINGS[pooling](x, valid, w, units), w, "logits")


def feed_forward(x, valid, w, arch, num_layers):
    for index in range(num_layers):
        y = relu(dense(x, w, f"dense_{index}"))
        x = x + y if index else y
    return x


def convolutions(x, valid, w, arch, num_layers):
    """Kim (2014), equation 2, with zeros beyond both ends."""
    for index in range(num_layers):
        x, below = x * valid[..., None], x
        y = np.concatenate(
            [_convolved(x, w, f"conv_{index}_{k}") for k in (3, 4, 5)], -1
        )
        x = below + y if index else y
    return x


def _convolved(x, w, name):
    kernel, length = w[f"{name}/kernel"], x.shape[1]
    size = len(kernel)
    before = (size - 1) // 2
    x = np.pad(x, [(0, 0), (before, size - 1 - before), (0, 0)])
    parts = [x[:, k : k + length] @ kernel[k] for k in range(size)]
    return relu(sum(parts) + w[f"{name}/bias"])


def recurrent(x, valid, w, arch, num_layers):
    both = arch.startswith("bi")
    matrices = [array for name, array in w.items() if name.startswith("encoder/")]
    matrices = [matrices[k : k + 3] for k in range(0, len(matrices), 3)]
    each = 1 + both
    layers = [matrices[k : k + each] for k in range(0, len(matrices), each)]
    options = {"merge": "concat" if both else "sum", "residual": num_layers > 1}
    return stacked_rnn(arch.removeprefix("bi"), x, layers, valid, **options)[0]


def transformer(x, valid, w, arch, num_layers, num_heads):
    x = dense(x, w, "projection")
    options = {"heads": num_heads, "positions": "rotary", "seen": valid}
    return stack(x, w, "blocks", num_layers=num_layers, **options)


def last(x, valid, w, units):
    rows, ends = np.arange(len(x)), valid.sum(axis=1) - 1
    return np.concatenate([x[rows, ends, :units], x[:, 0, units:]], axis=-1)


def mean(x, valid, w, units):
    return np.stack([row[kept].mean(0) for row, kept in zip(x, valid, strict=True)])


def maximum(x, valid, w, units):
    return np.stack([row[kept].max(0) for row, kept in zip(x, valid, strict=True)])


def attention(x, valid, w, units):
    """Yang et al. (2016), equations 5 to 7."""
    hidden = np.tanh(dense(x, w, "attention_hidden"))
    scores = (hidden @ w["attention_scores/kernel"])[..., 0]
    return np.einsum("bt,btf->bf", softmax(np.where(valid, scores, LOW)), x)


ENCODERS = {"mlp": feed_forward, "cnn": convolutions, "transformer": transformer}
POOLINGS = {"last": last, "mean": mean, "max": maximum, "attention": attention}
