"""A bounded reader of `.npz` archives; never unpickles."""

import math
import typing
import zipfile

import numpy as np

from kerasseq.convert.checkpoints import safetensors_file

# Random numbers do not compress; whoever compresses weights saves less than this.
_LARGEST_RATIO = 20
_SMALL = 2**24
_SUFFIX = ".npy"
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Header(typing.NamedTuple):
    """What the beginning of an array says.

    Attributes:
        shape: The shape.
        is_fortran: Whether the first axis is the fastest.
        dtype: The dtype.
        start: Position of its first byte.
    """

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype
    start: int


class Arrays:
    """The arrays of an open archive, all of whose headers are read and checked.

    Args:
        file: The file, opened in binary mode.
        size: Its size in bytes.

    Attributes:
        shapes: `{name: shape}`.

    Raises:
        ValueError: If it holds anything but arrays of floating point numbers, or would
            grow to more than 20 times its size.
    """

    def __init__(self, file: typing.IO[bytes], size: int) -> None:
        self._zip = zipfile.ZipFile(file)
        infos = self._zip.infolist()
        safetensors_file.refuse_duplicates(info.filename for info in infos)
        total = sum(info.file_size for info in infos)
        if total > _SMALL + _LARGEST_RATIO * size:
            raise ValueError(
                f"its {size:,} bytes would fill {total:,}; write it without "
                "compression, with `numpy.savez`"
            )
        self._headers = {
            info.filename.removesuffix(_SUFFIX): self._header(info) for info in infos
        }
        self.shapes = {name: header.shape for name, header in self._headers.items()}

    def read(self, name: str) -> np.ndarray:
        """Reads an array, as float32."""
        header = self._headers[name]
        with self._zip.open(name + _SUFFIX) as file:
            file.read(header.start)
            # To the end, where the checksum is compared.
            content = file.read()
        kind = "<u2" if header.dtype.kind == "V" else header.dtype
        values = np.frombuffer(content, kind)
        values = values.reshape(header.shape, order="F" if header.is_fortran else "C")
        return safetensors_file.as_float32(values)

    def _header(self, info):
        name = info.filename
        if not name.endswith(_SUFFIX):
            raise ValueError(f"{name} is not an array that `numpy.savez` wrote")
        with self._zip.open(info) as file:
            version = np.lib.format.read_magic(file)
            if version not in _HEADERS:
                raise ValueError(f"{name} is of version {version} of NumPy's format")
            shape, is_fortran, dtype = _HEADERS[version](file)
            header = Header(shape, is_fortran, dtype, file.tell())
        _check(name, header, info.file_size)
        return header


def _check(name, header, size):
    dtype = header.dtype
    if dtype.hasobject:
        raise ValueError(f"{name} holds pickled objects, which are never read")
    # NumPy writes a bfloat16 as two bytes of no type.
    is_bfloat16 = dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None
    is_float = dtype.kind == "f" and dtype.itemsize in (2, 4, 8)
    if dtype.subdtype is not None or not (is_float or is_bfloat16):
        raise ValueError(
            f"{name} is of type {dtype}; weights of these types are read: float64, "
            "float32, float16, bfloat16"
        )
    needed = header.start + math.prod(header.shape) * dtype.itemsize
    if min(header.shape, default=0) < 0 or needed != size:
        raise ValueError(
            f"{name} of shape {header.shape} and type {dtype} takes {needed:,} bytes, "
            f"its part has {size:,}"
        )
