"""Sequences, time first, as chunks of steps."""

from keras import ops


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
