"""Functions of `tf.nn` that say where the channels are, as those of Keras 3."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops


def pool(function: Callable[..., Any]) -> Callable[..., Any]:
    """The pooling of TensorFlow by that of Keras, such as `ops.max_pool`."""

    def pool(input, ksize, strides, padding, data_format=None):
        rank = len(input.shape) - 2
        kind = _data_format(data_format)
        sizes = [_window(size, rank, kind) for size in (ksize, strides)]
        return function(input, *sizes, padding=padding.lower(), data_format=kind)

    return pool


def blocks(function: Callable[..., Any]) -> Callable[..., Any]:
    """`depth_to_space` or `space_to_depth` of TensorFlow by that of Keras."""
    return lambda input, block_size, data_format=None: function(
        input, block_size, data_format=_data_format(data_format)
    )


def bias_add(
    value: keras.KerasTensor, bias: Any, data_format: str | None = None
) -> keras.KerasTensor:
    """Adds one number to each channel."""
    bias = np.asarray(bias, value.dtype) if isinstance(bias, list) else bias
    if _data_format(data_format) == "channels_first":
        bias = ops.reshape(bias, (-1, *[1] * (len(value.shape) - 2)))
    return ops.add(value, bias)


def _data_format(name):
    return "channels_first" if str(name).startswith("NC") else "channels_last"


def _window(size, rank, data_format):
    """The sizes of a window, without those along examples and channels."""
    sizes = list(size) if isinstance(size, list) else [size]
    if len(sizes) == rank + 2:
        sizes = sizes[2:] if data_format == "channels_first" else sizes[1:-1]
    return tuple(sizes * rank if len(sizes) == 1 else sizes)
