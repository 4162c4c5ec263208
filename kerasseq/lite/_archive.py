"""The zip at the end of a `.tflite` file; nothing of it is believed.

It is read in memory alone, no more of it than a limit, and every error names the file.
"""

import contextlib
import os
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath as PurePath
from typing import IO

MAX_BYTES = 2**28  # of all packed files together; a vocabulary has some megabytes
_END = b"PK\5\6"  # begins the last record of a zip
_END_SIZE = 22
_DATE = (1980, 1, 1, 0, 0, 0)  # a zip's first: the same files give the same bytes

Path = str | os.PathLike[str]


class Archive:
    """The zip at the end of an open file, without files if there is none.

    Args:
        file: The file.
        path: Its path, for messages.

    Attributes:
        start: Where the zip begins in the file; `None` if there is none.
        sizes: `{name: bytes}` of its files, without folders.

    Raises:
        ValueError: If the zip is damaged, or holds a name that is not usable.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._path = path
        self._zip = _open_zip(file, path)
        infos = self._zip.infolist() if self._zip else []
        self.start = None
        if self._zip:
            offsets = [info.header_offset for info in infos]
            # A damaged zip may say that it begins before the file.
            self.start = max(0, min([*offsets, self._zip.start_dir]))
        infos = [info for info in infos if not info.filename.endswith("/")]
        self.sizes = {info.filename: info.file_size for info in infos}
        if len(self.sizes) < len(infos):
            raise damaged(path, "a name is there twice")
        check_names(self.sizes, path)

    def read(self, name: str) -> bytes:
        """Reads a file of the zip.

        Raises:
            ValueError: If it is damaged or too large.
        """
        if self.sizes[name] > MAX_BYTES:
            raise too_large(self._path, name)
        try:
            with self._zip.open(name) as file:
                return check_size(file.read(MAX_BYTES + 1), self._path, name)
        except Exception as error:  # a damaged entry raises anything
            raise damaged(self._path, error) from error

    def read_all(self) -> dict[str, bytes]:
        """Reads all files, `{name: bytes}`.

        Raises:
            ValueError: If one is damaged, or together they are too large.
        """
        if sum(self.sizes.values()) > MAX_BYTES:
            raise too_large(self._path, "the packed files")
        return {name: self.read(name) for name in self.sizes}


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Opens the zip at the end of a file.

    Args:
        path: Path of the `.tflite` file.

    Yields:
        An `Archive`.

    Raises:
        ValueError: If the path is no TFLite file, or the zip is damaged.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise ValueError(f"There is no file at this path. Received: path={path!r}")
    try:
        file = open(path, "rb")
    except OSError as error:
        raise ValueError(
            f"The file cannot be read. Received: path={path!r} ({error})"
        ) from error
    with file:
        start = file.read(_END_SIZE)
        if len(start) < _END_SIZE or start[4:8] != b"TFL3":
            raise ValueError(f"The file is not a TFLite model. Received: path={path!r}")
        yield Archive(file, path)


def write(file: IO[bytes], files: Mapping[str, bytes]) -> None:
    """Writes a zip behind what an open file holds.

    Positions in it count from the beginning of the file. It is not compressed, which
    Android's extractor could not read.

    Args:
        file: The file, open at its end.
        files: `{name: bytes}`.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, content)


def check_names(names: Iterable[str], path: Path) -> None:
    """Raises if a name could lie outside of a folder, or two are one somewhere.

    Args:
        names: The names.
        path: Path of the `.tflite` file, for the message.

    Raises:
        ValueError: If a name is not usable.
    """
    names = list(names)
    for name in names:
        parts = name.split("/") if isinstance(name, str) else [""]
        odd = {"", ".", ".."} & {*parts} or not name.isprintable()
        if odd or {"\\", ":"} & {*name} or len(name.encode()) > 255:
            raise ValueError(
                "A packed file must have a relative name of at most 255 bytes of "
                "printable characters, without '..', '\\' and ':'. "
                f"Received: name={name!r} for {os.fspath(path)!r}"
            )
    folded = [unicodedata.normalize("NFC", name).casefold() for name in names]
    folders = {str(parent) for name in folded for parent in PurePath(name).parents}
    if folders & {*folded}:
        raise ValueError(
            "A packed file must not have the name of a folder of another. "
            f"Received: {sorted(names)}"
        )
    if len({*folded}) < len(folded):
        raise ValueError(
            "Names of packed files must differ in more than case: not every file "
            f"system tells them apart. Received: {sorted(names)}"
        )


def check_size(content: bytes, path: Path, name: str) -> bytes:
    """Returns a content, or raises `ValueError` if it has more than `MAX_BYTES`."""
    if len(content) > MAX_BYTES:
        raise too_large(path, name)
    return content


def too_large(path: Path, what: str) -> ValueError:
    """The error of more than `MAX_BYTES`."""
    return ValueError(
        f"What is packed is larger than {MAX_BYTES} bytes and is not read. Received: "
        f"{what} of {os.fspath(path)!r}"
    )


def _open_zip(file, path):
    file.seek(-_END_SIZE, os.SEEK_END)
    if file.read(len(_END)) != _END:
        return None
    try:
        return zipfile.ZipFile(file)
    except Exception as error:  # a damaged directory raises anything
        raise damaged(path, error) from error


def damaged(path: Path, error: object) -> ValueError:
    """The error of a zip that is not what it should be."""
    return ValueError(
        "The files packed into the TFLite file are damaged; write or copy it again. "
        f"Received: path={os.fspath(path)!r} ({error})"
    )
