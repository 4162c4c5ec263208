"""Recurrences over chunks of steps, with a gradient of their own; time comes first."""

from keras import ops

from kerasseq.ops import _linear_recurrence
from kerasseq.ops._manual_gradient import with_manual_gradient
from kerasseq.ops._time_loop import time_loop

METHODS = ("auto", "sequential", "chunked")


def chosen(method, on_cpu="sequential"):
    """`"sequential"` or `"chunked"`; where it is `"auto"`, the second with a GPU.

    Args:
        method: One of `METHODS`.
        on_cpu: What `"auto"` is without a GPU.

    Raises:
        ValueError: If the method is none of `METHODS`.
    """
    if method not in METHODS:
        raise ValueError(
            f"`method` must be one of {METHODS}. Received: method={method!r}"
        )
    if method == "auto":
        return "chunked" if _linear_recurrence.has_gpu() else on_cpu
    return method


def recurrence(run, back, rows, state, *shared):
    """Runs chunk after chunk, and keeps for the gradient the state before each alone.

    Args:
        run: `(rows, state, *shared) -> (outputs, state)` of a chunk.
        back: `(rows, start, gradient of outputs, effect, *shared) -> (gradients of
            rows, effect, *gradients of shared)` of a chunk; `effect` is the gradient of
            its last state, and then of that before it.
        rows: Nested structure of tensors `(chunks, ...)`.
        state: The first state, a tensor.
        *shared: Tensors that all chunks read.

    Returns:
        `(outputs, state)`: `(chunks, ...)`, and the last state.
    """

    def forward(arguments):
        rows, state, *shared = arguments

        def chunk(rows, state):
            y, end = run(rows, state, *shared)
            return (y, state), end

        (y, starts), end = time_loop(chunk, rows, state)
        return [y, end], starts

    def backward(arguments, starts, upstream):
        rows, _, *shared = arguments
        dy, dend = upstream

        def chunk(inputs, carried):
            effect, *sums = carried
            gradients, effect, *more = back(*inputs, effect, *shared)
            sums = [one + other for one, other in zip(sums, more, strict=True)]
            return gradients, (effect, *sums)

        first = (dend, *map(ops.zeros_like, shared))
        inputs = (rows, starts, dy)
        gradients, (effect, *sums) = time_loop(chunk, inputs, first, reverse=True)
        return [gradients, effect, *sums]

    return with_manual_gradient(forward, backward, [rows, state, *shared])


def split(x, size, value=0.0):
    """Parts a sequence into chunks.

    Args:
        x: Tensor of shape `(time, batch_size, ...)`.
        size: Steps of a chunk, where there are as many.
        value: What fills up the last chunk.

    Returns:
        Tensor `(chunks, steps, batch_size, ...)`.
    """
    length = x.shape[0]
    chunks, steps = -(-length // size), min(size, length)
    if missing := chunks * steps - length:
        pads = [(0, missing)] + [(0, 0)] * (len(x.shape) - 1)
        x = ops.pad(x, pads, constant_values=value)
    return ops.reshape(x, (chunks, steps, -1, *x.shape[2:]))


def join(x, length):
    """The sequence `(time, batch_size, ...)` again, without what filled it up."""
    return ops.reshape(x, (x.shape[0] * x.shape[1], -1, *x.shape[3:]))[:length]


def rearranged(x, axes):
    """A transpose in a chunk, such as `"tbhk->bhtk"`.

    The gradient of `ops.transpose` inverts a tensor of axes, which in the gradient of a
    loop's gradient is no constant for XLA on TensorFlow; here they stay a string.
    """
    return ops.einsum(axes, x)
