"""Files packed into a `.tflite` file, so that one file is all an app needs.

They are associated files of TFLite metadata: a zip at the end of the file, not
compressed, and a list of its names in the model's metadata. Android's
`MetadataExtractor`, Python's `zipfile` and plain `unzip` read them; an interpreter does
not notice them. Nothing here writes what it reads to a disk.
"""

import contextlib
import os
import zipfile
from collections.abc import Iterator, Mapping

from kerasseq.lite import _metadata, _model_front, flatbuffer
from kerasseq.utils import atomic

MAX_BYTES = 2**28  # of all packed files together; a vocabulary has some megabytes
_MOST_BYTES = 2**31 - 1  # of a file: Java's arrays and flatbuffers end there
_END = b"PK\5\6"  # begins the last record of a zip
_END_SIZE = 22
_DATE = (1980, 1, 1, 0, 0, 0)  # a zip's first: the same files give the same bytes

Path = str | os.PathLike[str]


def pack(path: Path, files: Mapping[str, bytes]) -> None:
    """Packs files into a `.tflite` file, in place of what was packed before.

    The model's own bytes stay as they are. The file is replaced when the new one is
    complete; the same model and files always give the same bytes.

    Args:
        path: Path of the `.tflite` file.
        files: `{name: bytes}`; with none, what was packed is taken out.

    Raises:
        ValueError: If the path is no TFLite file, a name is not usable, or the files
            are too large.

    Example:

    ```python
    packed_files.pack("model.tflite", {"labels.json": b'["cat", "dog"]'})
    packed_files.names("model.tflite")  # ["labels.json"]
    ```

    Reference:
        https://ai.google.dev/edge/litert/conversion/tensorflow/metadata
    """
    path = os.path.realpath(path)
    files = {name: bytes(content) for name, content in files.items()}
    _check_names(files, path)
    flatbuffer.read(path)  # says what is wrong with a file of another kind
    content = _model(path)
    metadata = _build_metadata(content, files) if files else None
    content = _with_metadata(content, metadata, path)
    _check_size(len(content), files, path)
    with atomic.replace_file(path, "wb") as file:
        file.write(content)
        if files:
            _write_zip(file, files)


def names(path: Path) -> list[str]:
    """Lists the names of the packed files.

    Args:
        path: Path of a `.tflite` file.

    Returns:
        A list of names, empty if nothing is packed.

    Raises:
        ValueError: If the path is no TFLite file, or what is packed is damaged.
    """
    return list(sizes(path))


def sizes(path: Path) -> dict[str, int]:
    """Lists the packed files with their sizes.

    Args:
        path: Path of a `.tflite` file.

    Returns:
        `{name: bytes}`.

    Raises:
        ValueError: If the path is no TFLite file, or what is packed is damaged.
    """
    with _opened(os.fspath(path)) as archive:
        return {info.filename: info.file_size for info in _infos(archive, path)}


def read(path: Path, name: str) -> bytes:
    """Reads a packed file, or else the file of that name beside the `.tflite` file.

    Args:
        path: Path of a `.tflite` file.
        name: Name of the packed file.

    Returns:
        Its bytes.

    Raises:
        ValueError: If it is in neither place, damaged or too large.
    """
    _check_names({name: b""}, path)
    with _opened(os.fspath(path)) as archive:
        found = [info for info in _infos(archive, path) if info.filename == name]
        if found:
            return _content(archive, found[0], path)
    return _read_beside(path, name)


def read_all(path: Path) -> dict[str, bytes]:
    """Reads all packed files.

    Args:
        path: Path of a `.tflite` file.

    Returns:
        `{name: bytes}`, empty if nothing is packed.

    Raises:
        ValueError: If the path is no TFLite file, or what is packed is damaged or too
            large.
    """
    with _opened(os.fspath(path)) as archive:
        infos = _infos(archive, path)
        if sum(info.file_size for info in infos) > MAX_BYTES:
            raise _too_large(path, "the packed files")
        return {info.filename: _content(archive, info, path) for info in infos}


def _model(path):
    """The bytes of the file without a zip at its end."""
    with _opened(path) as archive:
        starts = [info.header_offset for info in _infos(archive, path)]
        end = min([*starts, archive.start_dir]) if archive else None
        if end is not None and end < 0:
            raise _damaged(path, "it begins before the file")
    with open(path, "rb") as file:
        content = file.read(end)
    flatbuffer.parse(content, f"path={path!r}")
    return content


def _with_metadata(content, metadata, path):
    try:
        content = _model_front.with_metadata(content, metadata)
        flatbuffer.parse(content)
    except Exception as error:  # a broken flatbuffer raises anything
        raise ValueError(
            "Nothing can be packed into this file; export it again. "
            f"Received: path={path!r} ({error})"
        ) from error
    return content


def _build_metadata(content, files):
    model = flatbuffer.parse(content)
    graph = model.subgraphs[0]
    named = {}
    for signature in model.signatureDefs:
        if signature.subgraphIndex == 0:
            ends = [*signature.inputs, *signature.outputs]
            named |= {end.tensorIndex: flatbuffer.text(end.name) for end in ends}
    sides = (
        [named.get(i) or flatbuffer.text(graph.tensors[i].name) for i in side]
        for side in (graph.inputs, graph.outputs)
    )
    return _metadata.build(files, *sides)


def _write_zip(file, files):
    # At its place behind the model: positions count from the beginning of the file.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, content)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[zipfile.ZipFile | None]:
    """The zip at the end of a file, `None` if there is none."""
    with _file(path) as file:
        file.seek(-_END_SIZE, os.SEEK_END)
        if file.read(len(_END)) != _END:
            yield None
            return
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # a damaged directory raises anything
            raise _damaged(path, error) from error
        with archive:
            yield archive


def _file(path):
    if not os.path.isfile(path):
        raise ValueError(f"There is no file at this path. Received: path={path!r}")
    try:
        file = open(path, "rb")
    except OSError as error:
        raise ValueError(
            f"The file cannot be read. Received: path={path!r} ({error})"
        ) from error
    start = file.read(_END_SIZE)
    if len(start) < _END_SIZE or start[4:8] != b"TFL3":
        file.close()
        raise ValueError(f"The file is not a TFLite model. Received: path={path!r}")
    return file


def _infos(archive, path):
    if archive is None:
        return []
    infos = [i for i in archive.infolist() if not i.filename.endswith("/")]
    _check_names({info.filename: b"" for info in infos}, path)
    if len({info.filename for info in infos}) < len(infos):
        raise _damaged(path, "a name is there twice")
    return infos


def _content(archive, info, path):
    if info.file_size > MAX_BYTES:
        raise _too_large(path, info.filename)
    try:
        with archive.open(info) as file:
            content = file.read(MAX_BYTES + 1)
    except Exception as error:  # a damaged entry raises anything
        raise _damaged(path, error) from error
    if len(content) > MAX_BYTES:
        raise _too_large(path, info.filename)
    return content


def _read_beside(path, name):
    beside = os.path.join(os.path.dirname(path), name)
    try:
        with open(beside, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(
            f"'{name}' is neither packed into {os.fspath(path)!r} nor beside it; "
            f"export again. Received: {beside!r} ({error.strerror or error})"
        ) from error
    if len(content) > MAX_BYTES:
        raise _too_large(beside, name)
    return content


def _check_names(names, path):
    for name in names:
        parts = name.split("/") if isinstance(name, str) else [""]
        odd = {"", ".", ".."} & {*parts} or not name.isprintable()
        if odd or {"\\", ":"} & {*name} or len(name.encode()) > 255:
            raise ValueError(
                "A packed file must have a relative name of printable characters, "
                "without '..', '\\' and ':'. "
                f"Received: name={name!r} for {os.fspath(path)!r}"
            )
    folded = [name.casefold() for name in names]
    if len({*folded}) < len(folded):
        raise ValueError(
            "Names of packed files must differ in more than case: not every file "
            f"system tells them apart. Received: {sorted(names)}"
        )


def _check_size(num_bytes, files, path):
    packed = sum(map(len, files.values()))
    if packed > MAX_BYTES or num_bytes + 2 * packed > _MOST_BYTES:
        raise ValueError(
            f"At most {MAX_BYTES} bytes can be packed, into a file of 2 GB in all; "
            f"leave the files beside it. Received: {packed} bytes for {path!r} with "
            f"{num_bytes}"
        )


def _too_large(path, what):
    return ValueError(
        f"What is packed is larger than {MAX_BYTES} bytes and is not read. Received: "
        f"{what} of {os.fspath(path)!r}"
    )


def _damaged(path, error):
    return ValueError(
        "The files packed into the TFLite file are damaged; write or copy it again. "
        f"Received: path={os.fspath(path)!r} ({error})"
    )
