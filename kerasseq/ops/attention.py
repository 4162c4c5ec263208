"""Attention over an encoder's outputs for one decoder step."""

from keras import ops

# Finite also in float16, so that a row with no valid position gives no NaN.
MASKED_SCORE = -3e4


def additive_scores(query, keys, scale):
    """Scores of Bahdanau et al. (2015), `v . tanh(W q + U m)`.

    Args:
        query: `(batch_size, units)`, the projected decoder state `W q`.
        keys: `(batch_size, source_length, units)`, the projected memory `U m`.
        scale: `(units,)`, the vector `v`.

    Returns:
        Scores `(batch_size, source_length)`.
    """
    hidden = ops.tanh(ops.expand_dims(query, 1) + keys)
    return ops.squeeze(ops.matmul(hidden, ops.expand_dims(scale, -1)), -1)


def dot_scores(query, keys):
    """Dot-product scores of Luong et al. (2015), equation 8.

    With `keys = memory` this is their `dot`, with `keys = memory @ W` their `general`.

    Args:
        query: `(batch_size, units)`.
        keys: `(batch_size, source_length, units)`.

    Returns:
        Scores `(batch_size, source_length)`.
    """
    return ops.squeeze(ops.matmul(keys, ops.expand_dims(query, -1)), -1)


def attend(scores, memory, bias):
    """Softmax over the source and the weighted sum of the memory.

    Args:
        scores: `(batch_size, source_length)`.
        memory: `(batch_size, source_length, features)`.
        bias: `(batch_size, source_length)`, 0 at valid positions and `MASKED_SCORE`
            at padding.

    Returns:
        `(context, weights)`, `(batch_size, features)` and
        `(batch_size, source_length)`.
    """
    weights = ops.softmax(scores + bias, axis=-1)
    context = ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), memory), 1)
    return context, weights
