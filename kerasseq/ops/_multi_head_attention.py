"""Multi-head attention, and its rotary and ALiBi positions."""

import math

import numpy as np
from keras import ops

from kerasseq.ops import attention


def multi_head_attention(queries, keys, values, bias, drop=None):
    """Scaled dot-product attention, also with grouped queries.

    The softmax is computed in float32.

    Args:
        queries: Tensor of shape `(batch_size, length, num_heads, key_dim)`.
        keys: Tensor of shape `(batch_size, key_length, num_key_value_heads, key_dim)`.
        values: Tensor of the shape of `keys`.
        bias: float32 tensor that broadcasts to `(batch_size, num_heads, length,
            key_length)`, `kerasseq.ops.MASKED_SCORE` at positions that must not be
            attended to.
        drop: Optional callable, dropout on the attention weights.

    Returns:
        `(outputs, weights)`, of shapes `(batch_size, length, num_heads, key_dim)` and
        `(batch_size, num_heads, length, key_length)`.

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, equation 1; Ainslie et al.
        (2023), GQA.
    """
    heads_per_key = queries.shape[2] // keys.shape[2]
    if heads_per_key > 1:
        keys, values = (ops.repeat(x, heads_per_key, axis=2) for x in (keys, values))
    # (batch_size, num_heads, length, key_dim)
    queries = ops.transpose(queries, (0, 2, 1, 3)) / math.sqrt(queries.shape[-1])
    # (batch_size, num_heads, length, key_length)
    scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 3, 1)))
    weights = attention.softmax(ops.cast(scores, "float32") + bias)
    weights = ops.cast(weights, values.dtype)
    used = weights if drop is None else drop(weights)
    # (batch_size, num_heads, length, key_dim)
    outputs = ops.matmul(used, ops.transpose(values, (0, 2, 1, 3)))
    return ops.transpose(outputs, (0, 2, 1, 3)), weights


def rotate(x, positions, base=10000.0):
    """Rotary positions: rotates pairs of features by angles that grow with position.

    Feature `i` of the first half and of the second half form a pair, rotated by the
    angle `position * base ** (-2 i / key_dim)`.

    Args:
        x: Tensor of shape `(batch_size, length, num_heads, key_dim)`, where `key_dim`
            is even.
        positions: Integer tensor of shape `(batch_size or 1, length)`.
        base: Float. Base of the wavelengths.

    Returns:
        Tensor of the shape of `x`.

    Reference:
        Su et al. (2021), RoFormer, equation 34.
    """
    half = x.shape[-1] // 2
    rates = base ** (-np.arange(half, dtype="float32") / half)
    angles = ops.cast(positions, "float32")[:, :, None, None] * rates
    cosine, sine = (ops.cast(f(angles), x.dtype) for f in (ops.cos, ops.sin))
    first, second = x[..., :half], x[..., half:]
    return ops.concatenate(
        [first * cosine - second * sine, second * cosine + first * sine], axis=-1
    )


def alibi_slopes(num_heads):
    """ALiBi slopes: how fast the scores of each head fall with the distance.

    `2 ** (-8 i / n)` for heads 1 to `n`, if `n` is a power of 2. Otherwise the slopes
    of the next lower power of 2, then every second one of the next higher.

    Args:
        num_heads: Integer. Number of heads.

    Returns:
        float32 array of shape `(num_heads,)`.

    Reference:
        Press et al. (2022), Train Short, Test Long, section 3.
    """

    def series(n):
        return 2.0 ** (-8 * np.arange(1, n + 1) / n)

    lower = 2 ** int(math.log2(num_heads))
    more = series(2 * lower)[::2][: num_heads - lower]
    return np.concatenate([series(lower), more]).astype("float32")
