"""Leaves out of a TFLite file what no runtime reads."""

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def without_inner_names(content):
    """Drops the names of all tensors but a signature's inputs and outputs.

    The converter names each tensor after its place in the Keras model, which makes
    up to a sixth of the file of an unrolled model.

    Args:
        content: The bytes of a TFLite file.

    Returns:
        The bytes of a file that computes the same.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    entries = {s.subgraphIndex for s in model.signatureDefs or []}
    for index, graph in enumerate(model.subgraphs):
        kept = {*graph.inputs, *graph.outputs} if index in entries else set()
        for number, tensor in enumerate(graph.tensors):
            if number not in kept:
                tensor.name = None
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
