"""One chunk of the recurrence of Mamba-2, forward and backward, as matrices."""

import typing

import numpy as np
from keras import ops

from kerasseq.ops import _chunks

_LEAST = -1e9  # its exponential is 0


class Rows(typing.NamedTuple):
    """What a chunk reads.

    `(batch_size, heads, head_dim, steps)`, `(batch_size, heads, 1, steps)`, and
    `(batch_size, groups, steps, state_size)` twice.
    """

    x: typing.Any
    delta: typing.Any
    into: typing.Any
    out: typing.Any


class _Matrices(typing.NamedTuple):
    """Of one chunk: weights of steps on steps, and decays from and to its ends.

    Rows of a matrix are the steps that act, its columns those that are acted on.
    """

    added: typing.Any  # delta x
    weights: typing.Any  # W, (batch_size, heads, steps, steps)
    products: typing.Any  # W * B C'
    since: typing.Any  # exp(s_i), from the state before; (batch_size, heads, 1, steps)
    until: typing.Any  # exp(s_last - s_j), to the state after
    whole: typing.Any  # exp(s_last), (batch_size, heads, 1, 1)


def forward(rows, a, state):
    """The outputs of a chunk, and the state after it.

    Args:
        rows: List of the four tensors of `Rows`.
        a: Tensor `(heads,)`.
        state: Tensor `(batch_size, heads, head_dim, state_size)`.

    Returns:
        `(outputs, state)`, `(batch_size, heads, head_dim, steps)` and as `state`.
    """
    rows = Rows(*rows)
    m = _matrices(rows, a)
    y = ops.matmul(m.added, m.products)
    y = y + m.since * _by_groups(state, _transposed(rows.out))
    return y, m.whole * state + _by_groups(m.until * m.added, rows.into)


def backward(rows, a, start, dy, effect):
    """Gradients of a chunk: of its rows, of the state before it, and of `a`.

    `dy` and `effect` are the gradients of the outputs and of the state after the chunk.
    """
    rows = Rows(*rows)
    m, groups = _matrices(rows, a), rows.into.shape[1]
    ended, begun = m.until * m.added, m.since * dy
    of_products = ops.matmul(_transposed(m.added), dy)
    of_scores = _summed(of_products * m.weights, groups)
    of_into = ops.matmul(of_scores, rows.out)
    of_into = of_into + _over_heads(ended, effect, groups)
    of_out = ops.matmul(_transposed(of_scores), rows.into)
    of_out = of_out + _over_heads(begun, start, groups)
    later = m.until * _by_groups(effect, _transposed(rows.into))
    of_added = ops.matmul(dy, _transposed(m.products)) + later
    of_start = m.whole * effect + _by_groups(begun, rows.out)
    of_delta = ops.sum(of_added * rows.x, axis=-2, keepdims=True)

    # Of `s`, which each weight has as a difference, and the states' decays too.
    weighed, kept = of_products * m.products, ops.sum(later * m.added, axis=-2)
    read = begun * _by_groups(start, _transposed(rows.out))
    of_sums = ops.sum(weighed, axis=-2) - ops.sum(weighed, axis=-1)
    of_sums = of_sums + ops.sum(read, axis=-2) - kept
    of_last = ops.sum(m.whole * start * effect, axis=(-2, -1)) + ops.sum(kept, axis=-1)
    # A step's `delta a` is in its own sum, in all after it, and in the last one.
    after = ops.flip(ops.cumsum(ops.flip(of_sums, -1), axis=-1), -1)
    after = ops.expand_dims(after + ops.expand_dims(of_last, -1), -2)
    of_delta = of_delta + after * ops.reshape(a, (-1, 1, 1))
    of_a = ops.sum(after * rows.delta, axis=(0, 2, 3))
    return [rows.delta * of_added, of_delta, of_into, of_out], of_start, of_a


def _matrices(rows, a):
    heads, steps = rows.delta.shape[1], rows.delta.shape[-1]
    sums = ops.cumsum(rows.delta * ops.reshape(a, (heads, 1, 1)), axis=-1)
    last = sums[..., -1:]
    upper = np.triu(np.ones((steps, steps), "bool"))
    weights = ops.exp(ops.where(upper, sums - _transposed(sums), _LEAST))
    scores = ops.matmul(rows.into, _transposed(rows.out))  # once for each group
    return _Matrices(
        rows.delta * rows.x,
        weights,
        weights * of_heads(scores, heads),
        ops.exp(sums),
        ops.exp(last - sums),
        ops.exp(last),
    )


def _transposed(x):
    return _chunks.rearranged(x, "...ij->...ji")


def _by_groups(x, matrix):
    """`x` of each head, times the matrix of its group."""
    product = ops.matmul(_joined(x, matrix.shape[1]), matrix)
    return ops.reshape(product, (-1, *x.shape[1:3], matrix.shape[-1]))


def _over_heads(x, y, groups):
    """`x' y`, summed over the heads of each group."""
    return ops.matmul(_transposed(_joined(x, groups)), _joined(y, groups))


def _joined(x, groups):
    """Heads of a group below each other: `(batch_size, groups, rows, columns)`."""
    heads, rows, columns = x.shape[1:]
    return ops.reshape(x, (-1, groups, heads // groups * rows, columns))


def of_heads(x, heads):
    """What all heads of a group read, `(batch_size, 1 or heads, ...)`."""
    groups = x.shape[1]
    if groups in (1, heads):
        return x
    # Its gradient, unlike that of `repeat`, compiles in a loop on TensorFlow.
    x = ops.stack([x] * (heads // groups), axis=2)
    return ops.reshape(x, (-1, heads, *x.shape[3:]))


def _summed(x, groups):
    """The sum over the heads of each group: the gradient of `of_heads`."""
    shape = (-1, groups, x.shape[1] // groups, *x.shape[2:])
    return ops.sum(ops.reshape(x, shape), axis=2)
