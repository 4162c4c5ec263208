"""The constants of a TFLite file: who uses them, what is stored twice or no number."""

import collections
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq.doctor import graphs as graphs_lib

_LARGE = 1024  # bytes; smaller constants are not worth a word
_FLOATS = {"FLOAT16": np.float16, "FLOAT32": np.float32, "FLOAT64": np.float64}


def describe(
    model: schema.ModelT, graphs: Sequence[graphs_lib.Graph]
) -> dict[str, Any]:
    """Describes the constants.

    Args:
        model: `schema.ModelT`.
        graphs: List of `graphs.Graph`, of the same file.

    Returns:
        A dict: `"bytes"`, `"bytes_by_op"` (`{op name: bytes}`, each constant counted
        once, for its first reader), `"duplicated_bytes"` (what storing equal constants
        once would save) and `"nan_tensors"` (names of those that hold NaN).
    """
    by_op = _bytes_by_op(graphs)
    return {
        "bytes": sum(by_op.values()),
        "bytes_by_op": by_op,
        "duplicated_bytes": _duplicated_bytes(model),
        "nan_tensors": _nan_tensors(model, graphs),
    }


def _bytes_by_op(graphs):
    readers = {}
    for graph in graphs:
        first = {}
        for op in graph.ops:
            for tensor in op.inputs:
                first.setdefault(tensor.index, op.name)
        for op in graph.ops:
            name = op.name
            if op.unpacks_weights and op.outputs:
                name = first.get(op.outputs[0].index, name)
            for tensor in op.inputs:
                readers.setdefault(tensor.buffer, (name, tensor.num_bytes))
        for tensor in graph.tensors:
            readers.setdefault(tensor.buffer, ("no op", tensor.num_bytes))
    sizes = collections.Counter()
    for name, num_bytes in readers.values():
        sizes[name] += num_bytes
    return {name: size for name, size in sizes.most_common() if size}


def _duplicated_bytes(model):
    sizes = collections.defaultdict(list)
    for buffer in model.buffers:
        if len(buffer.data) >= _LARGE:
            sizes[len(buffer.data)].append(buffer.data)
    return sum(
        size * (len(group) - len({hashlib.sha256(data).digest() for data in group}))
        for size, group in sizes.items()
        if len(group) > 1
    )


def _nan_tensors(model, graphs):
    found = {}
    for tensor in (tensor for graph in graphs for tensor in graph.tensors):
        data = model.buffers[tensor.buffer].data
        if tensor.dtype in _FLOATS and len(data) and tensor.buffer not in found:
            size = np.dtype(_FLOATS[tensor.dtype]).itemsize
            values = data[: len(data) // size * size].view(_FLOATS[tensor.dtype])
            found[tensor.buffer] = tensor.label if np.isnan(values).any() else None
    return [label for label in found.values() if label]
