"""Layers of Keras in forms that become ops which GPU delegates take."""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import keras

_upsampling_of_keras = keras.layers.UpSampling2D.call


@contextlib.contextmanager
def substituted() -> Iterator[None]:
    """A context in which layers of Keras compute the same in another way.

    `keras.layers.UpSampling2D` with nearest neighbors is one op, and not a repetition
    along two axes, which takes a tensor of five.
    """
    with mock.patch.object(keras.layers.UpSampling2D, "call", _upsampling):
        yield


def _upsampling(layer: keras.layers.UpSampling2D, inputs: Any) -> Any:
    floats = keras.backend.standardize_dtype(inputs.dtype) == "float32"
    if layer.interpolation != "nearest" or not floats or None in inputs.shape[1:]:
        return _upsampling_of_keras(layer, inputs)
    first = 2 if layer.data_format == "channels_first" else 1
    sizes = zip(inputs.shape[first : first + 2], layer.size, strict=True)
    return keras.ops.image.resize(
        inputs,
        tuple(size * factor for size, factor in sizes),
        interpolation="nearest",
        data_format=layer.data_format,
    )
