"""The scores of attention with their gradients, for loops over the queries.

As in `kernels`, `d_x` is the gradient of `x`. What is summed over all queries, such as
the gradient of the keys, is one product after the loop where the algebra allows, else
a state of the backward loop.
"""

import typing

from keras import ops

from kerasseq.ops import attention, bptt
from kerasseq.ops._manual_gradient import with_manual_gradient
from kerasseq.ops._time_loop import time_loop


class Scores(typing.NamedTuple):
    """Scores of one query, and their gradient.

    Attributes:
        forward: `(query, keys, weights) -> (scores, saved)`: of `(batch_size, units)`
            and `(batch_size, source_length, units)`, `(batch_size, source_length)`.
            `saved` is a tuple of what `backward` needs.
        sums: `(query, keys) -> list of zeros`, the first states of the backward loop.
        backward: `(d_scores, saved, keys, weights, sums) -> (d_query, collected,
            sums)`.
        gradients: `(queries, collected, sums) -> (d_keys, gradients of the weights)`
            of all steps, of shape `(time, batch_size, ...)`.
    """

    forward: typing.Callable
    sums: typing.Callable
    backward: typing.Callable
    gradients: typing.Callable


def weighted_sum(weights, values):
    """Of `(batch_size, length)` and `(batch_size, length, features)`."""
    return ops.squeeze(bptt.product(ops.expand_dims(weights, 1), values), 1)


def similarities(query, values):
    """Of `(batch_size, features)` and `(batch_size, length, features)`."""
    scores = attention.dot_scores(ops.cast(query, values.dtype), values)
    return ops.cast(scores, query.dtype)


def sums_of_steps(weights, vectors):
    """The gradient of the values of `weighted_sum` and `similarities`, of all steps.

    Args:
        weights: Tensor of shape `(time, batch_size, length)`.
        vectors: Tensor of shape `(time, batch_size, features)`.

    Returns:
        Tensor of shape `(batch_size, length, features)`.
    """
    return ops.matmul(
        ops.transpose(weights, (1, 2, 0)), ops.transpose(vectors, (1, 0, 2))
    )


def _dot_forward(query, keys, weights):
    return similarities(query, keys), ()


def _no_sums(query, keys):
    return []


def _dot_backward(d_scores, saved, keys, weights, sums):
    return weighted_sum(d_scores, keys), (d_scores,), sums


def _dot_gradients(queries, collected, sums):
    (d_scores,) = collected
    return sums_of_steps(d_scores, queries), []


DOT = Scores(_dot_forward, _no_sums, _dot_backward, _dot_gradients)


def _hidden(projected, keys):
    return ops.tanh(ops.expand_dims(projected, 1) + ops.cast(keys, projected.dtype))


def _additive_forward(query, keys, weights):
    projected = bptt.product(query, weights[0])
    hidden = _hidden(projected, keys)
    # One product for the batch: (batch_size * source_length, units) with a column.
    rows = ops.reshape(hidden, (-1, hidden.shape[-1]))
    scores = bptt.product(rows, ops.expand_dims(weights[1], -1))
    return ops.reshape(scores, ops.shape(keys)[:2]), (projected,)


def _additive_sums(query, keys):
    return [ops.zeros_like(keys, query.dtype), ops.zeros_like(query)]


def _additive_backward(d_scores, saved, keys, weights, sums):
    (projected,) = saved
    hidden = _hidden(projected, keys)  # again, not kept: it is as large as the keys
    scale = ops.cast(weights[1], d_scores.dtype)
    d_hidden = ops.expand_dims(d_scores, -1) * scale * (1 - hidden * hidden)
    d_projected = ops.sum(d_hidden, axis=1)
    d_query = bptt.product(d_projected, ops.transpose(weights[0]))
    sums = [sums[0] + d_hidden, sums[1] + weighted_sum(d_scores, hidden)]
    return d_query, (d_projected,), sums


def _additive_gradients(queries, collected, sums):
    (d_projected,), (d_keys, d_scale) = collected, sums
    d_weights = [bptt.kernel_gradient(queries, d_projected), ops.sum(d_scale, axis=0)]
    return d_keys, d_weights


ADDITIVE = Scores(
    _additive_forward, _additive_sums, _additive_backward, _additive_gradients
)


def additive_scores_of_steps(queries, keys, kernel, scale):
    """The additive scores of all steps, one after the other.

    All at once, and with what an automatic gradient keeps of them, they would take the
    memory of `target_length` times the keys.

    Args:
        queries: Tensor of shape `(batch_size, target_length, units)`.
        keys: Tensor of shape `(batch_size, source_length, units)`.
        kernel: Tensor of shape `(units, units)`, projects the queries.
        scale: Tensor of shape `(units,)`.

    Returns:
        Scores of shape `(batch_size, target_length, source_length)`.
    """
    dtype = queries.dtype
    arguments = [ops.swapaxes(queries, 0, 1), keys, kernel, scale]
    if not bptt.wanted([], arguments):
        projected = ops.matmul(queries, kernel)
        return attention.additive_scores(projected, keys, scale)

    def forward(arguments):
        _, keys, *weights = arguments

        def step(query, states):
            query = ops.cast(query, bptt.dtype_of_states(dtype))
            return _additive_forward(query, keys, weights), states

        (scores, saved), _ = time_loop(step, arguments[0], [])
        return [ops.cast(scores, dtype)], saved

    def backward(arguments, saved, upstream):
        queries, keys, *weights = arguments
        precise = bptt.dtype_of_states(dtype)

        def step(now, sums):
            d_query, collected, sums = _additive_backward(
                now["scores"], now["saved"], keys, weights, sums
            )
            return (d_query, collected), sums

        inputs = {"scores": ops.cast(upstream[0], precise), "saved": saved}
        sums = _additive_sums(ops.cast(queries[0], precise), keys)
        (d_queries, collected), sums = time_loop(step, inputs, sums)
        d_keys, d_weights = _additive_gradients(queries, collected, sums)
        return [d_queries, d_keys, *d_weights]

    (scores,) = with_manual_gradient(forward, backward, arguments)
    return ops.swapaxes(scores, 0, 1)
