"""The bytes of a `.tflite` file."""

import os

from kerasseq.lite import _kinds
from kerasseq.utils import machine

_IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every TFLite flatbuffer
_SHORTEST = 16  # bytes


def read(path: str | os.PathLike[str]) -> bytes:
    """Reads a file into memory, where nobody can cut or replace it.

    A memory map would do with less, and end the process when the file is cut while it
    is open.

    Args:
        path: Path of the file.

    Returns:
        Its bytes, those of a TFLite file by their beginning.

    Raises:
        ValueError: If the file is missing, too short, too large for the memory, not
            readable or of another kind.
    """
    path = checked(path)
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            _check_start(file.read(_kinds.HEAD), size, path)
            file.seek(0)
            return file.read(size)
    except (OSError, MemoryError) as error:
        raise ValueError(
            "The file cannot be read; look at its permissions and its size. "
            f"Received: path={path!r} ({str(error) or 'out of memory'})"
        ) from error


def checked(path: str | os.PathLike[str]) -> str:
    """The path of a file that is there, as text.

    Raises:
        ValueError: If it is no path, or there is no file.
    """
    try:
        path = os.fsdecode(path)
    except TypeError as error:
        raise ValueError(
            f"`path` must be the path of a file. Received: path={path!r}"
        ) from error
    if not os.path.isfile(path):
        raise ValueError(f"There is no file at this path. Received: path={path!r}")
    return path


def _check_start(head, size, path):
    if size < _SHORTEST:
        raise ValueError(
            "The file is too short for a TFLite model; write or copy it again. "
            f"Received: path={path!r} with {size} bytes"
        )
    if head[4:8] != _IDENTIFIER:
        kind = _kinds.of(head)
        looks = f"; it looks like {kind.name}: {kind.do}" if kind else ""
        raise ValueError(
            f"The file is not a TFLite model: bytes 4 to 8 should be {_IDENTIFIER!r}. "
            f"Received: path={path!r} with {head[4:8]!r}{looks}"
        )
    if size > machine.memory():
        raise ValueError(
            "The file is larger than the memory of this machine. "
            f"Received: path={path!r} with {size} bytes"
        )
