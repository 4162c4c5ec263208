"""Attention of several heads, and the positions that it can know of."""

import math

import numpy as np
from keras import ops


def multi_head_attention(queries, keys, values, bias, drop=None):
    """Scaled dot-product attention; groups of heads may share keys and values.

    Scores and softmax are computed in float32.

    Args:
        queries: Tensor `(batch_size, length, num_heads, key_dim)`.
        keys, values: Tensors `(batch_size, key_length, num_key_value_heads, key_dim)`.
        bias: float32 tensor that broadcasts to `(batch_size, num_heads, length,
            key_length)`; `kerasseq.ops.MASKED_SCORE` where nothing may be seen.
        drop: Optional function of the weights, for dropout.

    Returns:
        `(outputs, weights)`: `(batch_size, length, num_heads, key_dim)` and
        `(batch_size, num_heads, length, key_length)`.

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, equation 1; Ainslie et al.
        (2023), GQA.
    """
    shared = queries.shape[2] // keys.shape[2]
    if shared > 1:
        keys, values = (ops.repeat(x, shared, axis=2) for x in (keys, values))
    queries = ops.transpose(queries, (0, 2, 1, 3)) / math.sqrt(queries.shape[-1])
    scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 3, 1)))
    weights = ops.softmax(ops.cast(scores, "float32") + bias, axis=-1)
    weights = ops.cast(weights, values.dtype)
    used = weights if drop is None else drop(weights)
    outputs = ops.matmul(used, ops.transpose(values, (0, 2, 1, 3)))
    return ops.transpose(outputs, (0, 2, 1, 3)), weights


def rotate(x, positions, base=10000.0):
    """Turns pairs of features by angles that grow with the position.

    Feature `i` of the first half and of the second half form a pair, with the angle
    `position * base ** (-2 i / key_dim)`.

    Args:
        x: Tensor `(batch_size, length, num_heads, key_dim)`; `key_dim` is even.
        positions: Integer tensor `(batch_size or 1, length)`.
        base: Base of the wavelengths.

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
    """How fast each head's scores fall with the distance, `(num_heads,)`.

    `2 ** (-8 i / n)` for heads 1 to n, a power of 2; for other numbers those of the
    next lower power, then every second of the next higher one.

    Args:
        num_heads: Number of heads.

    Returns:
        A float32 array.

    Reference:
        Press et al. (2022), Train Short, Test Long, section 3.
    """

    def series(n):
        return 2.0 ** (-8 * np.arange(1, n + 1) / n)

    lower = 2 ** int(math.log2(num_heads))
    more = series(2 * lower)[::2][: num_heads - lower]
    return np.concatenate([series(lower), more]).astype("float32")
