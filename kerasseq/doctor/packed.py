"""The files packed into a TFLite file, and those that should be."""

import io
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import _archive, packed_files


def describe(model: schema.ModelT, content: bytes, path: str) -> dict[str, Any]:
    """Describes the packed files, all of them read.

    Args:
        model: `schema.ModelT`, of the same file.
        content: The bytes of the file.
        path: Its path, for messages.

    Returns:
        A dict: `"packed_files"` (list of `{"name", "bytes"}`), `"missing_files"` (names
        that the metadata list and the file does not hold) and `"packed_files_message"`
        (what is damaged, or `None`).
    """
    message, contents, listed = None, {}, []
    try:
        contents = _archive.Archive(io.BytesIO(content), path).read_all()
        listed = packed_files.listed(model)
    except ValueError as error:
        message = str(error)
    return {
        "packed_files": [
            {"name": name, "bytes": len(content)} for name, content in contents.items()
        ],
        "missing_files": [] if message else [n for n in listed if n not in contents],
        "packed_files_message": message,
    }
