"""Functions of Keras in forms that phones compute better."""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import keras
from keras.src import backend
from keras.src.ops import nn

_add_of_keras = backend.numpy.add
_upsampling_of_keras = keras.layers.UpSampling2D.call
_normalize_of_keras = nn._normalize


@contextlib.contextmanager
def substituted() -> Iterator[None]:
    """A context in which functions of Keras compute the same in another way.

    - `keras.layers.UpSampling2D` with nearest neighbors is one op, which GPU delegates
      take, and not a repetition along two axes, which takes a tensor of five.
    - `keras.ops.normalize`, also in `keras.layers.UnitNormalization`, takes no root of
      0, for which LiteRT's kernel of `RSQRT` returns NaN and not infinity.
    - `keras.ops.add` adds as NumPy does. On TensorFlow Keras 3.15 takes a right side
      that has one axis longer than 1 for a bias, so that `(1, n, n) + (1, n, 1)` is
      added along the last axis: with a batch of one, as in a file, and with no other.
    """
    with (
        mock.patch.object(backend.numpy, "add", _add),
        mock.patch.object(keras.layers.UpSampling2D, "call", _upsampling),
        mock.patch.object(nn, "_normalize", _normalize),
    ):
        yield


def _add(x1: Any, x2: Any) -> Any:
    if len(getattr(x2, "shape", ())) < 2:  # a vector is a bias of the last axis
        return _add_of_keras(x1, x2)
    dtypes = (getattr(x, "dtype", type(x)) for x in (x1, x2))
    dtype = keras.backend.result_type(*dtypes)
    return keras.ops.cast(x1, dtype) + keras.ops.cast(x2, dtype)


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


def _normalize(
    x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None
) -> Any:
    if order != 2 or not len(x.shape):
        return _normalize_of_keras(x, axis, order, epsilon)
    epsilon = keras.config.epsilon() if epsilon is None else epsilon
    sums = keras.ops.sum(keras.ops.square(x), axis, keepdims=True)
    # A limit below the root, the square of `epsilon`, would be zero in float16.
    inverse = keras.ops.rsqrt(keras.ops.where(sums > 0, sums, 1.0))
    return x * keras.ops.minimum(inverse, 1 / epsilon)
