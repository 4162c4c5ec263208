"""Shapes and sizes that a model of Keras 2 computes with, as `tf.shape(x)[0] * 2`.

Keras 3 knows all sizes but those of an open axis when it builds a model, so they are
numbers here and no operations of the model. One open size can still be left to
`reshape`.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

UNKNOWN = object()  # one size, of an open axis
BATCH = object()  # the size of the first axis, if it is open


class Shape:
    """Sizes of a tensor, each a number or `UNKNOWN`.

    A class of its own, since `keras.tree` would take a list apart.
    """

    def __init__(self, sizes: Sequence[Any]) -> None:
        self.sizes = list(sizes)


def shape_of(tensor: keras.KerasTensor) -> Shape:
    """What `tf.shape` returns."""
    sizes = [UNKNOWN if size is None else size for size in tensor.shape]
    return Shape([BATCH if sizes[0] is UNKNOWN else sizes[0], *sizes[1:]])


def has_sizes(value: Any) -> bool:
    """Whether there are shapes or sizes among nested values, and no tensors."""
    leaves = keras.tree.flatten(value)
    if any(isinstance(leaf, keras.KerasTensor) for leaf in leaves):
        return False
    numbers = (Shape, int, float)
    return any(_is_open(leaf) or isinstance(leaf, numbers) for leaf in leaves)


def call(name: str, first: Any, kwargs: Mapping[str, Any]) -> Any:
    """Calls a function of TensorFlow on shapes and sizes.

    Args:
        name: Its public name without `tf.`.
        first: Its first argument.
        kwargs: The others.

    Returns:
        A `Shape` or a size.

    Raises:
        ValueError: If it is not known for sizes.
    """
    if name == "__operators__.getitem":
        return _item(first.sizes, kwargs["slice_spec"])
    if name in ("stack", "concat"):
        return Shape(_flat(first))
    if name in ("cast", "identity"):
        return first
    if name == "math.reduce_prod":
        return _computed(lambda *sizes: math.prod(sizes), _flat(first))
    if name in _NUMBERS and "y" in kwargs:
        return _computed(_NUMBERS[name], [first, kwargs["y"]])
    raise ValueError(f"`tf.{name}` of the size of a tensor has no counterpart")


def new_shape(tensor: keras.KerasTensor, shape: Any) -> Any:
    """The shape for `reshape`, whose rest, -1, is known if examples stay apart.

    Args:
        tensor: The tensor to be reshaped.
        shape: A list of sizes, or a `Shape`.

    Returns:
        The same with numbers for -1 beside `BATCH`.
    """
    sizes = shape.sizes if isinstance(shape, Shape) else shape
    if not isinstance(sizes, list) or BATCH not in sizes or -1 not in sizes:
        return shape
    others = [size for size in sizes if size is not BATCH and size != -1]
    if None in tensor.shape[1:] or any(map(_is_open, others)):
        return shape
    rest = math.prod(tensor.shape[1:]) // math.prod(others)
    return [rest if size == -1 else size for size in sizes]


def settle(name: str, value: Any) -> Any:
    """Turns shapes in an argument of an operation on tensors into numbers.

    Args:
        name: The operation; one open size is -1 for `reshape`.
        value: Nested lists, dicts, shapes and sizes.

    Returns:
        The same with lists and numbers.

    Raises:
        ValueError: If the size of an open axis is needed.
    """
    if isinstance(value, Shape):
        return [settle(name, size) for size in value.sizes]
    if isinstance(value, list):
        return [settle(name, item) for item in value]
    if isinstance(value, dict):
        return {key: settle(name, item) for key, item in value.items()}
    if not _is_open(value):
        return value
    if name == "reshape":
        return -1
    raise ValueError(f"`tf.{name}` needs the size of an axis that is open")


_NUMBERS: dict[str, Callable] = {
    "__operators__.add": operator.add,
    "floor_div": operator.floordiv,
    "math.add": operator.add,
    "math.floordiv": operator.floordiv,
    "math.maximum": max,
    "math.minimum": min,
    "math.multiply": operator.mul,
    "math.subtract": operator.sub,
    "math.truediv": operator.truediv,
}


def _computed(function, sizes):
    return UNKNOWN if any(map(_is_open, sizes)) else function(*sizes)


def _is_open(size):
    return size is UNKNOWN or size is BATCH


def _flat(value):
    if isinstance(value, Shape):
        return value.sizes
    if isinstance(value, list):
        return [size for item in value for size in _flat(item)]
    return [value]


def _item(sizes, key):
    key = key[0] if isinstance(key, list) else key
    if isinstance(key, dict):
        return Shape(sizes[slice(key["start"], key["stop"], key["step"])])
    return sizes[key]
