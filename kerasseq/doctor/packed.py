"""The files packed into a TFLite file, and those that should be."""

import os
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import _archive, packed_files


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
        with _archive.opened(path) as archive:
            contents = archive.read_all()
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
