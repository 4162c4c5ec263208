"""Taggers and what they are made of in plain NumPy, float64 throughout.

`w` holds the weights by path. Written for reading: one line an equation.
"""

import numpy as np
import reference
import reference_transformer
from reference_vision import conv2d, dense, relu

KERNEL_SIZES = (3, 4, 5)


def logsumexp(x, axis):
    return np.logaddexp.reduce(x, axis=axis)


def crf(x, mask, w, name):
    """Log-probabilities of each label given the one before, Sutton and McCallum (2012).

    `after` is the log-sum of all that may follow a label."""
    scores = dense(x, w, f"{name}/scores")
    A, start, end = (w[f"{name}/{part}"] for part in ("transitions", "start", "end"))
    batch_size, length, num_labels = scores.shape
    keep = np.where(np.eye(num_labels) > 0, 0.0, -3e4)
    after = np.broadcast_to(end, (batch_size, num_labels))
    found = []
    for t in reversed(range(length)):
        onward = (scores[:, t] + after)[:, None]  # (batch_size, 1, num_labels)
        ways = start + onward if t == 0 else A + onward
        ways = np.broadcast_to(ways, (batch_size, num_labels, num_labels))
        before = logsumexp(ways, -1)
        valid = mask[:, t, None]
        found.insert(0, np.where(valid[..., None], ways - before[..., None], keep))
        after = np.where(valid, before, after)
    return np.stack(found, 1)


def characters(ids, w):
    """The largest value of each filter over the places of a word."""
    valid = (ids != 0)[..., None]
    x = w["character/embeddings"][ids] * valid
    names = [f"convolution_{size}" for size in (2, 3, 4, 5)]
    kernels = {path.partition("/")[0] for path in w}
    # As over an image whose rows are words.
    found = [relu(conv2d(x, w, name)) * valid for name in names if name in kernels]
    return np.concatenate([y.max(2) for y in found], -1)


def convolutions(x, mask, w, num_layers):
    for index in range(num_layers):
        cleared = x * mask[..., None]
        parts = [
            relu(convolution(cleared, w, f"conv_{index}_{size}"))
            for size in KERNEL_SIZES
            if f"conv_{index}_{size}/kernel" in w
        ]
        x = np.concatenate(parts, -1) + (x if index else 0.0)
    return x


def convolution(x, w, name):
    """Over time, as over an image of one row."""
    wide = {f"{name}/kernel": w[f"{name}/kernel"][None]}
    return conv2d(x[:, None], w | wide, name)[:, 0]


def feed_forward(x, w, num_layers):
    for index in range(num_layers):
        x = relu(dense(x, w, f"dense_{index}")) + (x if index else 0.0)
    return x


def recurrent(x, mask, w, cell, num_layers, bidirectional):
    names = ("kernel", "recurrent_kernel", "bias")
    kind = f"{cell}_cell"

    def weights(index):
        of_layer = f"encoder/layer_{index}"
        if not bidirectional:
            return [[w[f"{of_layer}/{kind}/{name}"] for name in names]]
        sides = (f"{of_layer}/{x}_layer_{index}" for x in ("forward", "backward"))
        return [[w[f"{side}/{kind}/{name}"] for name in names] for side in sides]

    layers = [weights(index) for index in range(num_layers)]
    merge, residual = "concat", num_layers > 1
    return reference.stacked_rnn(cell, x, layers, mask, merge=merge, residual=residual)[
        0
    ]


def encode(x, mask, w, arch, num_layers=1, heads=2):
    """`models._sequence_encoders`, without dropout."""
    if arch == "mlp":
        return feed_forward(x, w, num_layers)
    if arch == "cnn":
        return convolutions(x, mask, w, num_layers)
    if arch == "transformer":
        if "projection/kernel" in w:
            x = dense(x, w, "projection")
        options = {"heads": heads, "num_layers": num_layers, "positions": "rotary"}
        return reference_transformer.stack(x, w, "blocks", seen=mask, **options)
    cell = arch.removeprefix("bi")
    return recurrent(x, mask, w, cell, num_layers, cell != arch)


def tagger(inputs, w, arch, crf_head=False, **options):
    parts = [w["word/embeddings"][inputs["words"]]]
    if "suffixes" in inputs:
        parts.append(w["suffix/embeddings"][inputs["suffixes"]])
    if "characters" in inputs:
        parts.append(characters(inputs["characters"], w))
    mask = inputs["words"] != 0
    x = encode(np.concatenate(parts, -1), mask, w, arch, **options)
    return crf(x, mask, w, "head") if crf_head else dense(x, w, "head")
