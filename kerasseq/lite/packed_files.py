"""Files packed into a `.tflite` file, so that one file is all an app needs.

They are associated files of TFLite metadata: a zip at the end of the file, not
compressed, and a list of its names in the model's metadata. Android's
`MetadataExtractor`, Python's `zipfile` and plain `unzip` read them; an interpreter does
not notice them. Nothing here writes what it reads to a disk.
"""

import contextlib
import os
from collections.abc import Mapping

from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import _archive, _metadata, _model_front, flatbuffer
from kerasseq.utils import atomic

_MOST_BYTES = 2**31 - 1  # of a file: Java's arrays and flatbuffers end there

Path = str | os.PathLike[str]


def pack(path: Path, files: Mapping[str, bytes]) -> None:
    """Packs files into a `.tflite` file, in place of what was packed before.

    The model's own bytes stay as they are. The file is replaced when the new one is
    complete; the same model and files always give the same bytes.

    Args:
        path: Path of the `.tflite` file.
        files: `{name: bytes}`; with none, what was packed is taken out.

    Raises:
        ValueError: If the path is no TFLite file, a name is not usable, a content is
            not bytes, or the files are too large.

    Example:

    ```python
    packed_files.pack("model.tflite", {"labels.json": b'["cat", "dog"]'})
    packed_files.names("model.tflite")  # ["labels.json"]
    ```

    Reference:
        https://ai.google.dev/edge/litert/conversion/tensorflow/metadata
    """
    path = os.path.realpath(path)
    files = _checked_contents(files, path)
    _archive.check_names(files, path)
    flatbuffer.read(path)  # says what is wrong with a file of another kind
    content = _read_model(path)
    model = flatbuffer.parse(content, f"path={path!r}")
    metadata = _build_metadata(model, files) if files else None
    content = _with_metadata(content, metadata, path)
    _check_size(len(content), files, path)
    with atomic.replace_file(path, "wb") as file:
        file.write(content)
        if files:
            _archive.write(file, files)


def _checked_contents(files, path):
    contents = dict(files) if isinstance(files, Mapping) else {"files": files}
    for name, content in contents.items():
        if not isinstance(content, (bytes, bytearray, memoryview)):
            raise ValueError(
                "`files` must be a dict of names and bytes; of a text make them with "
                f"`text.encode()`. Received: {name}={str(content)[:40]!r} of type "
                f"{type(content).__name__} for {path!r}"
            )
    return {name: bytes(content) for name, content in contents.items()}


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
    with _opened(path) as archive:
        return archive.sizes


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
    _archive.check_names([name], path)
    with _opened(path) as archive:
        if name in archive.sizes:
            return archive.read(name)
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
    with _opened(path) as archive:
        return archive.read_all()


def listed(model: schema.ModelT) -> list[str]:
    """Names of the files that should be packed, from the metadata of a model.

    Args:
        model: `schema.ModelT`, from `flatbuffer.read`.

    Returns:
        A list of names, empty for a model without metadata.

    Raises:
        ValueError: If the metadata are damaged.
    """
    for entry in model.metadata:
        if flatbuffer.text(entry.name) == _metadata.NAME:
            if not 0 <= entry.buffer < len(model.buffers):
                raise ValueError("The metadata point to a buffer that is not there.")
            return _metadata.listed_files(bytes(model.buffers[entry.buffer].data))
    return []


@contextlib.contextmanager
def _opened(path):
    """The zip of a file, which a file that was cut or added to has lost."""
    with _archive.opened(path) as archive:
        if archive.start is None and (lost := listed(flatbuffer.read(path))):
            raise _archive.damaged(path, f"{', '.join(lost)} should be at its end")
        yield archive


def _read_model(path):
    """The bytes of the file without a zip at its end."""
    with _opened(path) as archive, open(path, "rb") as file:
        return file.read(archive.start)


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


def _build_metadata(model, files):
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


def _read_beside(path, name):
    beside = os.path.join(os.path.dirname(path), name)
    try:
        with open(beside, "rb") as file:
            content = file.read(_archive.MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(
            f"'{name}' is neither packed into {os.fspath(path)!r} nor beside it; "
            f"export again. Received: {beside!r} ({error.strerror or error})"
        ) from error
    return _archive.check_size(content, beside, name)


def _check_size(num_bytes, files, path):
    packed = sum(map(len, files.values()))
    if packed > _archive.MAX_BYTES or num_bytes + 2 * packed > _MOST_BYTES:
        raise ValueError(
            f"At most {_archive.MAX_BYTES} bytes can be packed, into a file of 2 GB in "
            f"all; leave the files beside it. Received: {packed} bytes for {path!r} "
            f"with {num_bytes}"
        )
