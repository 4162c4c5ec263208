"""Reads and makes parts of a TFLite file's object tree that hold constants."""

import copy
import itertools
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import flatbuffer


def apart(content: bytes) -> bytes:
    """Gives each tensor a name of its own, and each constant its own data.

    The quantizer tells tensors apart by their names, and stops at a constant that
    one tensor shares with another that no op reads.

    Args:
        content: The bytes of a TFLite file.

    Returns:
        Those of a file that computes the same.
    """
    model = flatbuffer.tree(content)
    names: set[bytes] = set()
    used: set[int] = set()
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = _unlike(tensor.name or b"tensor", names)
            names.add(tensor.name)
            buffer = model.buffers[tensor.buffer]
            if tensor.buffer in used and buffer.data is not None:
                model.buffers.append(copy.copy(buffer))
                tensor.buffer = len(model.buffers) - 1
            used.add(tensor.buffer)
    return flatbuffer.write(model)


def _unlike(name, names):
    numbered = (name + b";%d" % number for number in itertools.count(2))
    return name if name not in names else next(x for x in numbered if x not in names)


def large(
    model: schema.ModelT, tensor: schema.TensorT, min_elements: int
) -> np.ndarray | None:
    """The values of a float32 constant of so many elements; `None` of another."""
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type != schema.TensorType.FLOAT32:
        return None
    values = np.asarray(data, "uint8").view("float32")
    return values if values.size >= min_elements else None


def add_buffer(model: schema.ModelT, values: np.ndarray) -> int:
    """Adds a constant; returns the number of its buffer."""
    buffer = schema.BufferT()
    buffer.data = values.view("uint8")
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def add_like(
    graph: Any, tensor: schema.TensorT, suffix: bytes, kind: int, buffer: int
) -> int:
    """Adds a tensor of the same shape and another type; returns its number."""
    new = copy.copy(tensor)
    new.name = (tensor.name or b"") + suffix
    new.type, new.buffer = kind, buffer
    graph.tensors.append(new)
    return len(graph.tensors) - 1


def op(code: int, inputs: Any, outputs: Any) -> schema.OperatorT:
    """An op of these tensors."""
    new = schema.OperatorT()
    new.opcodeIndex = code
    new.inputs, new.outputs = np.array(inputs, "int32"), np.array(outputs, "int32")
    return new
