"""Attention over the outputs of an encoder, for one step of a decoder."""

from keras import ops

# Finite in float16 too, so that a row without a valid position gives no NaN.
MASKED_SCORE = -3e4


def additive_scores(query, keys, scale):
    """Scores of Bahdanau et al. (2015), `v . tanh(W q + U m)`.

    Args:
        query: Tensor of shape `(batch_size, units)`, the projected state `W q`, or
            `(batch_size, target_length, units)`, those of all steps.
        keys: Tensor of shape `(batch_size, source_length, units)`, the projected
            memory `U m`.
        scale: Tensor of shape `(units,)`, the vector `v`.

    Returns:
        Scores of shape `(batch_size, source_length)`, or `(batch_size, target_length,
        source_length)`.
    """
    if len(query.shape) == 3:
        keys = ops.expand_dims(keys, 1)
    hidden = ops.tanh(ops.expand_dims(query, -2) + keys)
    # Not a product with a matrix: on TensorFlow its gradient needs a known batch size.
    return ops.sum(hidden * scale, axis=-1)


def dot_scores(query, keys):
    """Dot-product scores of Luong et al. (2015), equation 8.

    With `keys = memory` this is their `dot`, with `keys = memory @ W` their `general`.

    Args:
        query: Tensor of shape `(batch_size, units)`, or `(batch_size, target_length,
            units)`.
        keys: Tensor of shape `(batch_size, source_length, units)`.

    Returns:
        Scores of shape `(batch_size, source_length)`, or `(batch_size, target_length,
        source_length)`.
    """
    if len(query.shape) == 3:
        return ops.matmul(query, ops.swapaxes(keys, 1, 2))
    return ops.squeeze(ops.matmul(keys, ops.expand_dims(query, -1)), -1)


def attend(scores, memory, bias):
    """Softmax over the source positions, and the weighted sum of the memory.

    Args:
        scores: Tensor of shape `(batch_size, source_length)`, or `(batch_size,
            target_length, source_length)`.
        memory: Tensor of shape `(batch_size, source_length, features)`.
        bias: Tensor of shape `(batch_size, source_length)`, 0 at valid positions and
            `MASKED_SCORE` at padding.

    Returns:
        `(context, weights)`, of shapes `(batch_size, features)` and `(batch_size,
        source_length)`, or with `target_length` after the batch size.
    """
    if len(scores.shape) == 3:
        weights = softmax(scores + ops.expand_dims(bias, 1))
        return ops.matmul(weights, memory), weights
    weights = softmax(scores + bias)
    context = ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), memory), 1)
    return context, weights


def softmax(scores):
    """Softmax over the last axis; of a single position Keras' own would warn."""
    if scores.shape[-1] == 1:
        return ops.exp(ops.log_softmax(scores, axis=-1))
    return ops.softmax(scores, axis=-1)
