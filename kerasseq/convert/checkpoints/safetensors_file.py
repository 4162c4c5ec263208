"""A bounded reader of `.safetensors` files.

Eight bytes with the length of a header, the header in JSON, and the tensors without
gaps: <https://github.com/huggingface/safetensors>, section "Format". All that the
header says is checked against the size of the file before a tensor is read.
"""

import collections
import json
import math
import typing
from collections.abc import Iterable

import numpy as np

MAX_HEADER = 2**24  # bytes; a thousand tensors take a hundredth of that
_MAX_AXES = 8
_METADATA = "__metadata__"
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


class Entry(typing.NamedTuple):
    """What a header says of a tensor.

    Attributes:
        dtype: `"F64"`, `"F32"`, `"F16"` or `"BF16"`.
        shape: The shape.
        start: Position of its first byte, behind the header.
        end: Position behind its last byte.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


class Tensors:
    """The tensors of an open file.

    Args:
        file: The file, opened in binary mode.
        size: Its size in bytes.

    Attributes:
        shapes: `{name: shape}`.

    Raises:
        ValueError: If the file is not what it should be.
    """

    def __init__(self, file: typing.IO[bytes], size: int) -> None:
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= size - 8:
            raise ValueError(
                f"its header should have {length:,} bytes, the file has {size:,}; it "
                "is truncated or no .safetensors file"
            )
        if length > MAX_HEADER:
            raise ValueError(f"its header of {length:,} bytes is above {MAX_HEADER:,}")
        self._file, self._start = file, 8 + length
        self._entries = parsed_header(file.read(length), size - self._start)
        self.shapes = {name: x.shape for name, x in self._entries.items()}

    def read(self, name: str) -> np.ndarray:
        """Reads a tensor, as float32."""
        entry = self._entries[name]
        self._file.seek(self._start + entry.start)
        content = self._file.read(entry.end - entry.start)
        if len(content) < entry.end - entry.start:
            raise ValueError(f"it became shorter, {name} is no longer whole")
        values = np.frombuffer(content, _TYPES[entry.dtype]).reshape(entry.shape)
        return as_float32(values)


def parsed_header(header: bytes, size: int) -> dict[str, Entry]:
    """The entries of a header, checked.

    Args:
        header: The JSON text.
        size: Number of bytes behind it.

    Returns:
        `{name: Entry}`.

    Raises:
        ValueError: If it is no such header, or its tensors do not fill these bytes.
    """
    table = json.loads(header.decode(), object_pairs_hook=_unique)
    if not isinstance(table, dict):
        raise ValueError("its header holds no names")
    table.pop(_METADATA, None)
    entries = {name: _entry(name, value) for name, value in table.items()}
    _check_offsets(entries, size)
    return entries


def as_float32(values: np.ndarray) -> np.ndarray:
    """Floating point numbers as float32; two bytes of integers are a bfloat16."""
    if values.dtype.kind == "u":
        # The upper half of a float32.
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32)


def shortened(names: Iterable[object], limit: int = 5) -> str:
    """A few names, and how many more there are."""
    found = [str(name)[:200] for name in names]
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return ", ".join(found[:limit]) + more


def refuse_duplicates(names: Iterable[str]) -> None:
    """Raises if a name is there twice."""
    twice = [name for name, count in collections.Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"it has two tensors of a name: {shortened(twice)}")


def _unique(pairs):
    refuse_duplicates(name for name, _ in pairs)
    return dict(pairs)


def _entry(name, value):
    keys = {"dtype", "shape", "data_offsets"}
    if not isinstance(value, dict) or not keys <= value.keys():
        raise ValueError(f"{name} has no dtype, shape and data_offsets in the header")
    dtype, shape, offsets = (value[key] for key in ("dtype", "shape", "data_offsets"))
    if not _are_sizes(shape) or len(shape) > _MAX_AXES:
        raise ValueError(f"{name} has no usable shape: {str(shape)[:100]}")
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"{name} has no usable offsets: {str(offsets)[:100]}")
    if not isinstance(dtype, str) or dtype not in _TYPES:
        raise ValueError(
            f"{name} is of type {str(dtype)[:100]}; weights of these types are read: "
            f"{', '.join(_TYPES)}"
        )
    entry = Entry(dtype, tuple(shape), *offsets)
    size = math.prod(shape) * np.dtype(_TYPES[dtype]).itemsize
    if size != entry.end - entry.start:
        raise ValueError(
            f"{name} of shape {entry.shape} and type {dtype} takes {size:,} bytes, its "
            f"offsets are {entry.start:,} to {entry.end:,}"
        )
    return entry


def _are_sizes(value):
    is_list = isinstance(value, list)
    return is_list and all(type(x) is int and 0 <= x < 2**63 for x in value)


def _check_offsets(entries, size):
    """Tensors lie one behind the other, and fill the file."""
    end = 0
    ordered = sorted(entries.items(), key=lambda item: item[1][2:])
    for name, entry in ordered:
        if entry.start != end:
            what = "overlaps the tensor before" if entry.start < end else "has a gap"
            raise ValueError(
                f"{name} {what}: it begins at byte {entry.start:,}, not {end:,}"
            )
        end = entry.end
        if end > size:
            raise ValueError(
                f"{name} ends at byte {end:,} of {size:,}: the file is truncated"
            )
    if end != size:
        raise ValueError(f"its tensors end at byte {end:,}, the file at {size:,}")
