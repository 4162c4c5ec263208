"""A chunk of the generalized delta rule without a loop over its steps.

With `c_t` the sum of the logarithms of decays up to step t of the chunk, and tildes for

    a~_t = exp(c_{t-1}) a_t,  r~_t = exp(c_t) r_t,  b~_t, k~_t = exp(-c_t) (b_t, k_t)

where `a` is what is read from the state and `b` how it is written back, all steps are

    U = (I - N)^-1 (A~ S_0^T + M V)        what is read, N = A~ B~^T and M = A~ K~^T,
                                           both below the diagonal
    Y = R~ S_0^T + P U + Q V               P = R~ B~^T and Q = R~ K~^T, up to it
    S = (S_0 + U^T B~ + V^T K~) exp(c_L)

Tensors are `(batch_size, heads, steps, size)` here, and `(steps, batch_size, heads,
size)` outside.
"""

import typing

import numpy as np
from keras import ops

from kerasseq.ops import _chunks


class _Scaled(typing.NamedTuple):
    """Rows with decays taken into them."""

    out: typing.Any
    key: typing.Any
    value: typing.Any
    read: typing.Any
    write: typing.Any


class _Products(typing.NamedTuple):
    """Of a chunk: the matrices between steps, and what each step reads."""

    inverse: typing.Any  # of I - N
    values_read: typing.Any  # M
    reads_out: typing.Any  # P
    values_out: typing.Any  # Q
    found: typing.Any  # U


def at_once(rows, state):
    """Outputs of all steps of a chunk, time first, and the state after it."""
    rows = type(rows)(*(_chunks.rearranged(x, "tbhk->bhtk") for x in rows))
    scaled, _, total = _scaled(rows)
    products = _products(scaled, state)
    y = ops.matmul(scaled.out, _t(state))
    y = y + ops.matmul(products.reads_out, products.found)
    y = y + ops.matmul(products.values_out, scaled.value)
    return _chunks.rearranged(y, "bhtk->tbhk"), _end(scaled, products, state, total)


def _t(x):
    return _chunks.rearranged(x, "bhij->bhji")


def _scaled(rows):
    """The rows, how each was scaled, and the decay of the chunk, `(.., 1, size)`."""
    up_to = ops.cumsum(rows.log_decay, axis=2)
    grown, shrunk = ops.exp(-up_to), ops.exp(up_to)
    one = ops.ones_like(rows.value)
    scales = _Scaled(shrunk, grown, one, ops.exp(up_to - rows.log_decay), grown)
    pairs = zip(scales, (getattr(rows, x) for x in _Scaled._fields), strict=True)
    return _Scaled(*(x * y for x, y in pairs)), scales, shrunk[:, :, -1:]


def _products(rows, state):
    strictly = _below(rows.key.shape[2], -1)
    reads_read = ops.matmul(rows.read, _t(rows.write)) * strictly
    values_read = ops.matmul(rows.read, _t(rows.key)) * strictly
    inverse = _inverse(reads_read)
    given = ops.matmul(rows.read, _t(state)) + ops.matmul(values_read, rows.value)
    return _Products(
        inverse,
        values_read,
        ops.matmul(rows.out, _t(rows.write)) * _below(rows.key.shape[2], 0),
        ops.matmul(rows.out, _t(rows.key)) * _below(rows.key.shape[2], 0),
        ops.matmul(inverse, given),
    )


def _below(length, diagonal):
    return ops.convert_to_tensor(
        np.tril(np.ones((length, length)), diagonal), "float32"
    )


def _inverse(below):
    """The inverse of I - `below`, which has zeros on and above the diagonal.

    The blocks of 1, 2, 4, ... steps on the diagonal are inverted one after the other:
    of [[A, 0], [-C, B]] it is [[A', 0], [B' C A', B']] with the inverses A' and B'. No
    number is larger than in the result, unlike in the product of (I + N), (I + N^2),
    (I + N^4), ..., whose powers grow before they vanish.
    """
    length, size = below.shape[-1], 1
    place = np.arange(length)
    found = ops.convert_to_tensor(np.eye(length), "float32")
    while size < length:
        block = place // size
        odd = block[:, None] % 2 == 1
        corner = odd & (block[None] == block[:, None] - 1)
        corner = below * ops.convert_to_tensor(corner, "float32")
        if size == 1:
            found = found + corner
        else:
            found = found + ops.matmul(ops.matmul(found, corner), found)
        size *= 2
    return found


def _end(rows, products, state, total):
    added = ops.matmul(_t(products.found), rows.write)
    added = added + ops.matmul(_t(rows.value), rows.key)
    return (state + added) * total


def back_at_once(rows, start, dy, effect):
    """Gradients of a chunk: of its rows, and of the state before it.

    `effect` is the gradient of the last state by what comes after the chunk.
    """
    kind = type(rows)
    rows = kind(*(_chunks.rearranged(x, "tbhk->bhtk") for x in rows))
    dy = _chunks.rearranged(dy, "tbhk->bhtk")
    scaled, scales, total = _scaled(rows)
    products = _products(scaled, start)
    end = _end(scaled, products, start, total)
    gradients, before = _of_scaled(scaled, products, start, dy, effect * total)

    # A sum of logarithms acts on all that it scales, and on all later ones.
    r, k, _, a, b = (x * y for x, y in zip(gradients, scaled, strict=True))
    of_sums = ops.flip(ops.cumsum(ops.flip(r + a - b - k, 2), axis=2), 2)
    of_decay = of_sums - a + ops.sum(effect * end, axis=-2, keepdims=True)
    gradients = _Scaled(*(x * y for x, y in zip(gradients, scales, strict=True)))
    gradients = kind(log_decay=of_decay, **gradients._asdict())
    return tuple(_chunks.rearranged(x, "bhtk->tbhk") for x in gradients), before


def _of_scaled(rows, products, start, dy, effect):
    """Gradients of scaled rows and of the start; `effect` that of the sum."""
    length, found = rows.key.shape[2], products.found
    strictly, up_to = _below(length, -1), _below(length, 0)
    of_found = ops.matmul(_t(products.reads_out), dy)
    of_found = of_found + ops.matmul(rows.write, _t(effect))
    of_given = ops.matmul(_t(products.inverse), of_found)
    dn = ops.matmul(of_given, _t(found)) * strictly
    dm = ops.matmul(of_given, _t(rows.value)) * strictly
    dp = ops.matmul(dy, _t(found)) * up_to
    dq = ops.matmul(dy, _t(rows.value)) * up_to
    gradients = _Scaled(
        out=_sum((dy, start), (dp, rows.write), (dq, rows.key)),
        key=_sum((rows.value, effect), (_t(dm), rows.read), (_t(dq), rows.out)),
        value=_sum(
            (rows.key, _t(effect)),
            (_t(products.values_read), of_given),
            (_t(products.values_out), dy),
        ),
        read=_sum((of_given, start), (dn, rows.write), (dm, rows.key)),
        write=_sum((found, effect), (_t(dn), rows.read), (_t(dp), rows.out)),
    )
    before = effect + _sum((_t(of_given), rows.read), (_t(dy), rows.out))
    return gradients, before


def _sum(*pairs):
    return sum(ops.matmul(x, y) for x, y in pairs)
