"""Checks the bytes of a TFLite file before an object tree or the runtime sees them.

The runtime checks that its tables lie inside the file, and trusts most of what the
tables say: a wrong index there ends the process. What is read here costs no more than
the file has bytes, whatever they claim.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import _calls, _op_forms

_ROOM = 4  # bytes that may be read for each byte of the file; parts may be shared
_LIMITS = {
    schema.TensorType.INT8: np.iinfo(np.int8),
    schema.TensorType.UINT8: np.iinfo(np.uint8),
    schema.TensorType.INT16: np.iinfo(np.int16),
}
_SMALLEST_SCALE = np.finfo(np.float32).tiny
_MOST_ELEMENTS = 2**31 - 1  # of a tensor, and of a size of it
# Places of inputs that may be left out, as -1; the kernels read all others.
_LSTM = (1, 5, 9, 10, 11, 12, 16, 17, 20, 21, 22, 23)
_OPTIONAL = {
    **dict.fromkeys(
        ("CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), (2,)
    ),
    **dict.fromkeys(("CONV_3D_TRANSPOSE", "SVDF", "TRANSPOSE_CONV"), (3,)),
    **dict.fromkeys(("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM"), _LSTM),
    "BIDIRECTIONAL_SEQUENCE_LSTM": (
        1,
        5,
        *range(9, 13),
        *range(16, 24),
        *range(26, 48),
    ),
    "BIDIRECTIONAL_SEQUENCE_RNN": (9, 10, 11),
}
_OPTIONAL_PLACES = {
    getattr(schema.BuiltinOperator, name): list(places)
    for name, places in _OPTIONAL.items()
}
# Whoever wrote the kernel of these knows.
_UNCHECKED = {
    getattr(schema.BuiltinOperator, name)
    for name in ("CUSTOM", "STABLEHLO_COMPOSITE", "STABLEHLO_CUSTOM_CALL")
}
_LAST_CODE = max(v for v in vars(schema.BuiltinOperator).values() if type(v) is int)


class _Reader:
    """Reads lists and texts of a file until they are more than the file has."""

    def __init__(self, num_bytes: int) -> None:
        self._left = _ROOM * num_bytes

    def tables(self, owner: Any, name: str) -> Iterator[Any]:
        number = getattr(owner, f"{name}Length")()
        self.take(4 * number)
        return (getattr(owner, name)(index) for index in range(number))

    def numbers(self, owner: Any, name: str) -> list[int]:
        if getattr(owner, f"{name}IsNone")():
            return []
        self.take(4 * getattr(owner, f"{name}Length")())
        return getattr(owner, f"{name}AsNumpy")().tolist()

    def text(self, table: Any, slot: int) -> None:
        if offset := table.Offset(slot):
            self.take(table.VectorLen(offset))

    def take(self, num_bytes: int) -> None:
        self._left -= num_bytes
        if self._left < 0:
            raise ValueError("its lists and names are longer than the file")


def check(data: bytes) -> None:
    """Checks that the parts of a file point to parts that are there.

    Args:
        data: The bytes of a TFLite file.

    Raises:
        ValueError: With the part that is wrong. Damaged bytes raise anything.
    """
    model = schema.Model.GetRootAs(data, 0)
    reader = _Reader(len(data))
    _check_buffers(model, reader, len(data))
    codes = [_op_code(code, reader) for code in reader.tables(model, "OperatorCodes")]
    graphs = list(reader.tables(model, "Subgraphs"))
    if not graphs:
        raise ValueError("there is no subgraph")
    constants = _constant_buffers(model)
    for graph in graphs:
        _check_graph(graph, reader, codes, constants)
    _calls.check(graphs)
    for signature in reader.tables(model, "SignatureDefs"):
        _check_signature(signature, reader, graphs)
    for entry in reader.tables(model, "Metadata"):
        reader.text(entry._tab, 4)
        _check_range([entry.Buffer()], 0, len(constants), "buffer")


def _check_buffers(model, reader, size):
    for buffer in reader.tables(model, "Buffers"):
        end = buffer.Offset() + buffer.Size()
        if end > size:
            raise ValueError(f"a buffer ends at byte {end}")


def _op_code(code, reader):
    reader.text(code._tab, 6)  # its custom code
    return max(code.BuiltinCode(), code.DeprecatedBuiltinCode())


def _constant_buffers(model):
    """For each buffer whether it holds data, in the flatbuffer or behind it."""
    buffers = (model.Buffers(index) for index in range(model.BuffersLength()))
    return [bool(buffer.DataLength() or buffer.Size()) for buffer in buffers]


def _check_graph(graph, reader, codes, constants):
    tensors = list(reader.tables(graph, "Tensors"))
    owners = [_check_tensor(tensor, reader) for tensor in tensors]
    _check_range(owners, 0, len(constants), "buffer")
    is_constant = [constants[owner] for owner in owners]
    inputs = reader.numbers(graph, "Inputs")
    _check_range(inputs, 0, len(tensors), "input")
    _check_range(reader.numbers(graph, "Outputs"), 0, len(tensors), "output")
    if any(is_constant[index] for index in inputs):
        raise ValueError("an input is a constant")
    for tensor, constant in zip(tensors, is_constant, strict=True):
        if not constant:
            _check_quantization(tensor)
    sides = [
        _check_op(op, reader, codes, tensors, is_constant)
        for op in reader.tables(graph, "Operators")
    ]
    _check_order(sides, inputs)


def _check_tensor(tensor, reader):
    shape = reader.numbers(tensor, "Shape")
    if math.prod(max(length, 1) for length in shape) > _MOST_ELEMENTS:
        raise ValueError(f"a tensor has the shape {tuple(shape)[:9]}")
    reader.text(tensor._tab, 10)  # its name
    reader.tables(tensor, "VariantTensors")
    if sparsity := tensor.Sparsity():
        reader.tables(sparsity, "DimMetadata")
    return tensor.Buffer()


def _check_quantization(tensor):
    """Of a computed tensor; the runtime itself looks at those of constants."""
    limits, quantization = _LIMITS.get(tensor.Type()), tensor.Quantization()
    if limits is None or quantization is None or quantization.ScaleIsNone():
        return
    scales = quantization.ScaleAsNumpy()
    if not (np.isfinite(scales) & (scales >= _SMALLEST_SCALE)).all():
        raise ValueError(f"a tensor has the scale {scales.min()}")
    if not quantization.ZeroPointIsNone():
        points = quantization.ZeroPointAsNumpy()
        if ((points < limits.min) | (points > limits.max)).any():
            raise ValueError(f"a tensor has the zero point {points.max()}")


def _check_op(op, reader, codes, tensors, is_constant):
    """Returns the indices of its inputs and outputs."""
    if op.OpcodeIndex() >= len(codes):
        raise ValueError(f"op code index {op.OpcodeIndex()} is out of range")
    code, num_tensors = codes[op.OpcodeIndex()], len(is_constant)
    inputs, inner, outputs = (
        reader.numbers(op, name) for name in ("Inputs", "Intermediates", "Outputs")
    )
    for side, low in ((inputs, -1), (inner, -1), (outputs, 0)):
        _check_range(side, low, num_tensors, "tensor")
    if -1 in inputs and code not in _UNCHECKED and code <= _LAST_CODE:
        lacking = {place for place, index in enumerate(inputs) if index < 0}
        if needed := lacking - set(_OPTIONAL_PLACES.get(code, ())):
            raise ValueError(f"an op lacks its input {min(needed)}")
    if any(is_constant[index] for index in outputs):
        raise ValueError("an op writes to a constant")
    _op_forms.check(op, code, inputs, outputs, tensors)
    return inputs, outputs


def _check_order(sides, graph_inputs):
    """Each tensor is written once, and before it is read."""
    written = dict.fromkeys(graph_inputs, -1)  # by which op
    for place, (_, outputs) in enumerate(sides):
        if not written.keys().isdisjoint(outputs):
            raise ValueError(f"op {place} writes to what is an input, or written")
        written |= dict.fromkeys(outputs, place)
    for place, (inputs, _) in enumerate(sides):
        if any(written.get(index, -1) >= place for index in inputs):
            raise ValueError(f"op {place} reads what it or a later op writes")


def _check_signature(signature, reader, graphs):
    reader.text(signature._tab, 8)  # its name
    number = signature.SubgraphIndex()
    if number >= len(graphs):
        raise ValueError(f"subgraph index {number} is out of range")
    for side in ("Inputs", "Outputs"):
        known = set(reader.numbers(graphs[number], side))
        for end in reader.tables(signature, side):
            reader.text(end._tab, 4)
            if end.TensorIndex() not in known:
                raise ValueError(
                    f"tensor {end.TensorIndex()} of a signature is not among the "
                    f"{side.lower()} of its subgraph"
                )


def _check_range(indices, low, limit, what):
    for index in indices:
        if not low <= index < limit:
            raise ValueError(f"{what} index {index} is out of range")
