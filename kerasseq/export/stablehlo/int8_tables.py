"""Stores the tables that `GATHER` reads, as of embeddings, in int8."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq.export import op_codes
from kerasseq.export.stablehlo import constants
from kerasseq.lite import flatbuffer

_MIN_ELEMENTS = 1024  # what the quantizer leaves alone too
_VERSION = 2  # the first that takes int8


def apply(content: bytes) -> bytes:
    """Stores tables of rows in int8, and reads back only the rows that were taken.

    LiteRT's quantizer leaves `GATHER` in float where activations stay float.

    Args:
        content: The bytes of a TFLite file.

    Returns:
        The bytes of the smaller file.
    """
    model = flatbuffer.tree(content)
    code = op_codes.index(model, schema.BuiltinOperator.DEQUANTIZE, _VERSION)
    for graph in model.subgraphs:
        operators = []
        for op in graph.operators or []:
            operators.append(op)
            if flatbuffer.op_name(model, op) != "GATHER":
                continue
            table = graph.tensors[op.inputs[0]]
            values = constants.large(model, table, _MIN_ELEMENTS)
            if values is not None:
                operators.append(_in_int8(model, graph, op, values, code))
        graph.operators = operators
    _forget_unused(model)
    return flatbuffer.write(model)


def _in_int8(model, graph, op, values, code):
    """Makes an op take rows of int8; returns the op that reads them back."""
    scale = max(float(np.abs(values).max()) / 127, 1e-12)
    stored = constants.add_buffer(model, np.round(values / scale).astype("int8"))
    sides = ((op.inputs[0], stored), (op.outputs[0], 0))
    table, rows = (
        _quantized(graph, graph.tensors[index], scale, buffer)
        for index, buffer in sides
    )
    read_back = constants.op(code, [rows], op.outputs)
    op.inputs = np.array([table, *op.inputs[1:]], "int32")
    op.outputs = np.array([rows], "int32")
    return read_back


def _quantized(graph, tensor, scale, buffer):
    kind = schema.TensorType.INT8
    new = constants.add_like(graph, tensor, b"_int8", kind, buffer)
    quantization = schema.QuantizationParametersT()
    quantization.scale = np.array([scale], "float32")
    quantization.zeroPoint = np.array([0], "int64")
    graph.tensors[new].quantization = quantization
    return new


def _scales(tensor):
    """The tensors that hold the scales of one in int4 with blocks."""
    details = tensor.quantization and tensor.quantization.details
    names = ("scales", "zeroPoints")
    return [getattr(details, name) for name in names if hasattr(details, name)]


def _forget_unused(model):
    """Drops the constants of tensors that no op reads any more."""
    for graph in model.subgraphs:
        read = {i for op in graph.operators for i in op.inputs} | {*graph.outputs}
        read |= {tensor for x in graph.tensors for tensor in _scales(x)}
        for index, tensor in enumerate(graph.tensors):
            if index not in read and model.buffers[tensor.buffer].data is not None:
                tensor.buffer = 0
