"""Ranges of int8 tensors as the runtime's kernels need them.

TensorFlow's converter breaks two rules of the kernels, which then return something else
without a word:

- An op that only moves elements must have one range for its input and output. The
  output of `REVERSE_V2` gets that of the op after it.
- The output of an LSTM, its hidden state and the tensor that carries it are one thing
  to the kernel. Where a `CONCATENATION` follows, the output gets another range. And a
  cell state below 0.5 gets a scale for which the kernel has no tanh.
"""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq.export import op_codes
from kerasseq.lite import flatbuffer

_MOVING = {
    "DEPTH_TO_SPACE",
    "EXPAND_DIMS",
    "GATHER",
    "GATHER_ND",
    "RESHAPE",
    "REVERSE_SEQUENCE",
    "REVERSE_V2",
    "SLICE",
    "SPACE_TO_DEPTH",
    "SQUEEZE",
    "STRIDED_SLICE",
    "TILE",
    "TRANSPOSE",
}
_OUTPUT_STATE, _CELL_STATE = 18, 19  # of the inputs of an LSTM
_HIDDEN = 4  # of its intermediate tensors
# tflite/kernels/internal/reference/portable_tensor_utils.cc, ApplyTanh: 15 plus the
# binary logarithm of the scale is a number of integer bits from 0 to 6.
_SMALLEST_CELL_SCALE = 2.0**-15


def mend(model: schema.ModelT) -> None:
    """Gives the tensors of an int8 file ranges that the kernels take.

    Args:
        model: `schema.ModelT` from TensorFlow's converter, which is changed.
    """
    for graph in model.subgraphs:
        graph.operators = [
            op for old in graph.operators for op in _mended(model, graph, old)
        ]


def _mended(model, graph, op):
    """The op, and one that changes the range of its output where it must."""
    name = flatbuffer.op_name(model, op)
    if not len(op.outputs) or not _is_int8(graph.tensors[op.outputs[0]]):
        return [op]
    if name in _MOVING:
        given = graph.tensors[op.inputs[0]].quantization
    elif name == "UNIDIRECTIONAL_SEQUENCE_LSTM":
        given = graph.tensors[op.intermediates[_HIDDEN]].quantization
        graph.tensors[op.inputs[_OUTPUT_STATE]].quantization = given
        cell = graph.tensors[op.inputs[_CELL_STATE]].quantization
        cell.scale = [max(float(cell.scale[0]), _SMALLEST_CELL_SCALE)]
    else:
        return [op]
    return [op, *_rescaled(model, graph, op, given)]


def _is_int8(tensor):
    return tensor.type == schema.TensorType.INT8 and tensor.quantization is not None


def _rescaled(model, graph, op, given):
    """Lets an op write in a range of its own; the ops that rescale what it wrote."""
    wanted = graph.tensors[op.outputs[0]]
    if _range(wanted.quantization) == _range(given):
        return []
    written = copy.copy(wanted)
    written.quantization = given
    graph.tensors.append(written)
    rescale = schema.OperatorT()
    # The second version is that of int8 to int8.
    rescale.opcodeIndex = op_codes.index(model, schema.BuiltinOperator.QUANTIZE, 2)
    rescale.inputs = np.array([len(graph.tensors) - 1], "int32")
    rescale.outputs, op.outputs = op.outputs, rescale.inputs
    return [rescale]


def _range(quantization):
    return [float(x) for x in quantization.scale], [*quantization.zeroPoint]
