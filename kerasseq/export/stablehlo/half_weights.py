"""Stores the constants of a TFLite file in float16."""

from ai_edge_litert import schema_py_generated as schema

from kerasseq.export import op_codes
from kerasseq.export.stablehlo import constants
from kerasseq.lite import flatbuffer

_MIN_ELEMENTS = 128  # below that the op that reads it back takes as many bytes
_VERSION = 3  # the first that takes float16


def apply(content: bytes) -> bytes:
    """Stores each float32 constant in float16, read back by an op `DEQUANTIZE`.

    The runtime reads them back once, when it loads the file.

    Args:
        content: The bytes of a TFLite file.

    Returns:
        The bytes of the smaller file.
    """
    model = flatbuffer.tree(content)
    code = op_codes.index(model, schema.BuiltinOperator.DEQUANTIZE, _VERSION)
    halves: dict[int, int] = {}  # the buffer in float16 by that in float32
    for graph in model.subgraphs:
        added = []
        for index, tensor in enumerate([*graph.tensors]):
            values = constants.large(model, tensor, _MIN_ELEMENTS)
            if values is None:
                continue
            if tensor.buffer not in halves:
                half = values.astype("float16")
                halves[tensor.buffer] = constants.add_buffer(model, half)
            stored = constants.add_like(
                graph,
                tensor,
                b"_half",
                schema.TensorType.FLOAT16,
                halves[tensor.buffer],
            )
            added.append(constants.op(code, [stored], [index]))
            tensor.buffer = 0  # filled at run time
        graph.operators = added + list(graph.operators or [])
    for buffer in halves:
        model.buffers[buffer].data = None
    return flatbuffer.write(model)
