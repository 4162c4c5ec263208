"""The text classifier in plain NumPy, float64 throughout, written for reading.

`w` holds the weights by their path in the model: `w["encoder/layer_0/bias"]`.
"""

import numpy as np
from reference import softmax
from reference_sequence import encode
from reference_vision import dense

LOW = -3e4


def text_classifier(tokens, w, *, arch, pooling, num_layers=1, units, **options):
    valid = tokens != 0
    x = w["embedding/embeddings"][tokens]
    x = encode(x, valid, w, arch, num_layers, **options)
    return dense(POOLINGS[pooling](x, valid, w, units), w, "logits")


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


POOLINGS = {"last": last, "mean": mean, "max": maximum, "attention": attention}
