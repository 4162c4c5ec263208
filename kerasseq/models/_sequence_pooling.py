"""What a classifier reads of the features of all positions: one vector a sequence."""

import keras
from keras import ops

from kerasseq.ops import attention as attention_ops

POOLINGS = ("last", "mean", "max", "attention")


def check(pooling):
    """Raises `ValueError` for a pooling that is none of `POOLINGS`."""
    if pooling not in POOLINGS:
        raise ValueError(
            f"`pooling` must be one of {', '.join(POOLINGS)}. "
            f"Received: pooling={pooling!r}"
        )


def pool(x, valid, pooling, units):
    """Pools the features of all positions into one vector.

    Args:
        x: Keras tensor `(batch_size, length, features)`, from
            `_sequence_encoders.encode`.
        valid: Keras tensor of booleans `(batch_size, length)`, `False` for padding on
            the right; `None` where there is none.
        pooling: One of `POOLINGS`. `"last"`: the features of the last position, of a
            bidirectional encoder those of the last one forward and of the first one
            backward; `"mean"`, `"max"`; `"attention"`: a mean with learned weights,
            which the layer `attention_weights` returns.
        units: Features of one direction.

    Returns:
        A Keras tensor `(batch_size, features)`.
    """
    if pooling == "last":
        return keras.layers.Identity(name="last")(_last(x, valid, units))
    if pooling == "attention":
        return _attended(x, valid, units)
    if valid is None:
        return (ops.max if pooling == "max" else ops.mean)(x, axis=1)
    valid = ops.expand_dims(valid, -1)
    if pooling == "max":
        return ops.max(ops.where(valid, x, attention_ops.MASKED_SCORE), axis=1)
    count = ops.sum(ops.cast(valid, "float32"), axis=1)
    return ops.sum(ops.where(valid, x, 0.0), axis=1) / count


def _last(x, valid, units):
    """The last position's features; backward ones have read all at the first one."""
    if valid is None:
        # No slice, see `_slices`.
        last = ops.take(x, x.shape[1] - 1, axis=1)
    else:
        count = ops.cumsum(ops.cast(valid, "int32"), axis=1)
        at_end = ops.equal(count, ops.max(count, axis=1, keepdims=True))
        is_last = ops.expand_dims(ops.logical_and(valid, at_end), -1)
        last = ops.sum(ops.where(is_last, x, 0.0), axis=1)
    if x.shape[-1] == units:
        return last
    forward, _ = ops.split(last, [units], axis=-1)
    _, backward = ops.split(ops.take(x, 0, axis=1), [units], axis=-1)
    return ops.concatenate([forward, backward], axis=-1)


def _attended(x, valid, units):
    hidden = keras.layers.Dense(units, "tanh", name="attention_hidden")(x)
    scores = keras.layers.Dense(1, use_bias=False, name="attention_scores")(hidden)
    scores = ops.squeeze(scores, -1)
    if valid is not None:
        scores = ops.where(valid, scores, attention_ops.MASKED_SCORE)
    weights = attention_ops.softmax(scores)
    weights = keras.layers.Identity(name="attention_weights")(weights)
    return ops.sum(ops.expand_dims(weights, -1) * x, axis=1)  # 0 at padding
