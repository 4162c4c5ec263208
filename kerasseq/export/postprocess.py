"""Passes over the TFLite file that the converter wrote: output tensors and names."""

import copy
from collections.abc import Callable, Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq.export import op_codes, wide_biases
from kerasseq.lite import flatbuffer


def apply(
    content: bytes, passes: Sequence[Callable[[schema.ModelT], None]] = ()
) -> bytes:
    """Rewrites a file so that it is smaller and loads in more runtimes.

    Each output of a signature gets a tensor of its own: where the converter uses one
    tensor for two of them, or an input as an output, LiteRT.js sees one name only.

    Constants that are equal are stored once, such as the weights of two signatures.

    A bias of one number gets one for each channel.

    Inner tensors lose their names: the converter names each after its place in the
    Keras model, which makes up to a sixth of the file of an unrolled model.

    Args:
        content: The bytes of a TFLite file.
        passes: Functions that change the object tree before all this.

    Returns:
        The bytes of the finished file.
    """
    model = flatbuffer.tree(content)
    _take_in(model, content)
    for change in passes:
        change(model)
    wide_biases.widen(model)
    for signature in model.signatureDefs or []:
        _separate_outputs(model, signature)
    _drop_inner_names(model)
    _share_constants(model)
    return flatbuffer.write(model)


def take_in(content: bytes) -> bytes:
    """Puts constants that lie behind the flatbuffer into it.

    Args:
        content: The bytes of a TFLite file.

    Returns:
        The bytes of one that is a flatbuffer as a whole.
    """
    model = flatbuffer.tree(content)
    _take_in(model, content)
    return flatbuffer.write(model)


def _take_in(model, content):
    for buffer in model.buffers:
        if buffer.size and buffer.offset > 1:
            end = buffer.offset + buffer.size
            buffer.data = np.frombuffer(content[buffer.offset : end], "uint8")
            buffer.offset = buffer.size = 0


def _drop_inner_names(model):
    entries = {s.subgraphIndex for s in model.signatureDefs or []}
    for index, graph in enumerate(model.subgraphs):
        kept = {*graph.inputs, *graph.outputs} if index in entries else set()
        for number, tensor in enumerate(graph.tensors):
            if number not in kept:
                tensor.name = None


def _share_constants(model):
    first: dict[bytes, int] = {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if data is not None and len(data):
                key = np.asarray(data, "uint8").tobytes()
                tensor.buffer = first.setdefault(key, tensor.buffer)
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    used |= {item.buffer for item in model.metadata or []}
    for index, buffer in enumerate(model.buffers):
        if index not in used:
            buffer.data = None


def _separate_outputs(model, signature):
    graph = model.subgraphs[signature.subgraphIndex]
    taken = set(graph.inputs)
    places = list(graph.outputs)
    for output in signature.outputs:
        if output.tensorIndex in taken:
            last = len(places) - 1 - places[::-1].index(output.tensorIndex)
            places[last] = output.tensorIndex = _copied(model, graph, output)
        taken.add(output.tensorIndex)
    graph.outputs = np.array(places, "int32")


def _copied(model, graph, output):
    """Index of a new tensor that holds what the output's tensor holds."""
    tensor = copy.copy(graph.tensors[output.tensorIndex])
    tensor.name = tensor.name + b"_" + output.name
    graph.tensors.append(tensor)
    copied = len(graph.tensors) - 1
    constant = model.buffers[tensor.buffer].data is not None
    if not constant:
        tensor.buffer = 0  # filled at run time
        shape = _constant(model, graph, tensor.shape)
        _reshape(model, graph, [output.tensorIndex, shape], copied)
    return copied


def _constant(model, graph, values):
    values = np.array(values, "int32")
    buffer, tensor = schema.BufferT(), schema.TensorT()
    buffer.data = values.view("uint8")
    model.buffers.append(buffer)
    tensor.buffer = len(model.buffers) - 1
    tensor.shape, tensor.type = [len(values)], schema.TensorType.INT32
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _reshape(model, graph, inputs, output):
    """Adds the op that every runtime has for a copy."""
    op = schema.OperatorT()
    op.opcodeIndex = op_codes.index(model, schema.BuiltinOperator.RESHAPE)
    op.inputs, op.outputs = np.array(inputs, "int32"), np.array([output], "int32")
    graph.operators.append(op)
