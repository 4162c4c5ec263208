"""Biases of one number, which kernels read as one number for each channel.

TensorFlow's converter makes one of a scalar that is added to a transposed convolution,
as `hard_sigmoid` does; the runtime reads on behind it: NaN, or a file that it refuses.
"""

import copy

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import flatbuffer

_BIAS = {  # its place in the inputs
    "CONV_2D": 2,
    "CONV_3D": 2,
    "CONV_3D_TRANSPOSE": 3,
    "DEPTHWISE_CONV_2D": 2,
    "FULLY_CONNECTED": 2,
    "TRANSPOSE_CONV": 3,
}


def widen(model: schema.ModelT) -> None:
    """Repeats each bias of one number for all channels.

    Args:
        model: `schema.ModelT`, which is changed.
    """
    for graph in model.subgraphs:
        for op in graph.operators:
            place = _BIAS.get(flatbuffer.op_name(model, op), len(op.inputs))
            if place < len(op.inputs) and op.inputs[place] >= 0:
                channels = int(graph.tensors[op.outputs[0]].shape[-1])
                _widen(model, graph, op, place, channels)


def _widen(model, graph, op, place, channels):
    bias = graph.tensors[op.inputs[place]]
    data = model.buffers[bias.buffer].data
    if int(np.prod(bias.shape)) != 1 or channels == 1 or data is None:
        return
    wide, buffer = copy.copy(bias), schema.BufferT()
    buffer.data = np.tile(np.asarray(data, "uint8"), channels)
    model.buffers.append(buffer)
    wide.shape, wide.buffer = [channels], len(model.buffers) - 1
    graph.tensors.append(wide)
    op.inputs = np.array(op.inputs, "int32")
    op.inputs[place] = len(graph.tensors) - 1
