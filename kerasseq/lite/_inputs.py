"""Inputs of a signature, checked and cast."""

from collections.abc import Mapping
from typing import Any

import numpy as np

# `{name: (shape, dtype)}`.
Specs = Mapping[str, tuple[tuple[int | None, ...], str]]
_LARGEST = 2**31 - 1  # a size of a tensor in the runtime


def conform(
    specs: Specs, inputs: Mapping[str, Any], owner: str = "the signature"
) -> dict[str, np.ndarray]:
    """Checks named arrays against their specifications and casts them.

    Args:
        specs: `{name: (shape, dtype name)}`; `None` in a shape fits any size.
        inputs: `{name: array or nested list}`.
        owner: How error messages name the owner of `specs`.

    Returns:
        A dict of contiguous arrays in the order of `specs`.

    Raises:
        ValueError: If a name is missing or unknown, or a shape or dtype does not fit.
    """
    if not isinstance(inputs, Mapping):
        raise ValueError(
            f"The inputs of {owner} are a dict of arrays by name. "
            f"Received: {type(inputs).__name__}"
        )
    if set(inputs) != set(specs):
        raise ValueError(
            f"The inputs of {owner} are {sorted(specs)}: missing "
            f"{sorted(set(specs) - set(inputs))}, unknown "
            f"{sorted(set(inputs) - set(specs), key=str)}. "
            f"Received: {sorted(inputs, key=str)}"
        )
    return {
        name: _conform_one(name, inputs[name], shape, np.dtype(dtype))
        for name, (shape, dtype) in specs.items()
    }


def _conform_one(name, value, shape, dtype):
    array = _as_array(name, value)
    fits = len(array.shape) == len(shape) and all(
        size == want or (want is None and 0 < size <= _LARGEST)
        for size, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"Input '{name}' must have the shape {shape}, no size of it 0. "
            f"Received: an array of shape {array.shape}"
        )
    if not _can_cast(array, dtype):
        raise ValueError(
            f"Input '{name}' must be {dtype.name}, and this cast would lose "
            f"information; convert it yourself, e.g. `x.astype('{dtype.name}')`. "
            f"Received: an array of {array.dtype.name}"
        )
    return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)


def _as_array(name, value):
    try:
        return np.asarray(value)
    except Exception as error:  # `__array__` of another library raises anything
        raise ValueError(
            f"Input '{name}' must be an array, or nested lists of equal lengths. "
            f"Received: {type(value).__name__} ({error})"
        ) from error


def _can_cast(array, dtype):
    if np.can_cast(array.dtype, dtype, "safe"):
        return True
    if (array.dtype, dtype) == (np.float64, np.float32):
        return True
    if (array.dtype, dtype) == (np.int64, np.int32):
        limits = np.iinfo(np.int32)
        return bool(np.all((array >= limits.min) & (array <= limits.max)))
    return False
