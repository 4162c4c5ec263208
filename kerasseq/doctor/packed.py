"""The files packed into a TFLite file, and those that should be."""

import os
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import _metadata, flatbuffer, packed_files


def describe(model: schema.ModelT, path: str | os.PathLike[str]) -> dict[str, Any]:
    """Describes the packed files, all of them read.

    Args:
        model: `schema.ModelT`, of the same file.
        path: Path of the file.

    Returns:
        A dict: `"packed_files"` (list of `{"name", "bytes"}`), `"missing_files"` (names
        that the metadata list and the file does not hold) and `"packed_files_message"`
        (what is damaged, or `None`).
    """
    message, contents, listed = None, {}, []
    try:
        contents = packed_files.read_all(path)
        listed = _listed(model)
    except ValueError as error:
        message = str(error)
    return {
        "packed_files": [
            {"name": name, "bytes": len(content)} for name, content in contents.items()
        ],
        "missing_files": [] if message else [n for n in listed if n not in contents],
        "packed_files_message": message,
    }


def _listed(model):
    for entry in model.metadata:
        if flatbuffer.text(entry.name) == _metadata.NAME:
            if not 0 <= entry.buffer < len(model.buffers):
                raise ValueError("The metadata point to a buffer that is not there.")
            return _metadata.listed_files(bytes(model.buffers[entry.buffer].data))
    return []
