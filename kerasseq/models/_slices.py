"""Slices in functional models whose configuration Keras reads back as it wrote it."""

from keras import ops


def between(x, start=0, stop=None, axis=1):
    """A tensor from one place to another along an axis of known size.

    What `x[:, start:stop]` is. That is written to a model's configuration in a form
    that Keras 3.15 reads back as another one.

    Args:
        x: Keras tensor.
        start: First place; from the end if negative.
        stop: Place after the last one; `None` for the end.
        axis: The axis.
    """
    size = x.shape[axis]
    start, stop, _ = slice(start, stop).indices(size)
    edges = [edge for edge in (start, stop) if 0 < edge < size]
    return ops.split(x, edges, axis=axis)[int(start > 0)] if edges else x
