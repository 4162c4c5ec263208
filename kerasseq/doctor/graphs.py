"""The subgraphs of a TFLite file as plain records."""

import dataclasses

from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import flatbuffer


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor.

    Attributes:
        index: Its place in its subgraph.
        label: Its name, or what stands for it where the file has dropped names.
        shape: Tuple of sizes; `None` for one that is not fixed.
        dtype: As the schema names it, e.g. `"FLOAT32"`.
        buffer: Index of its buffer.
        num_bytes: The size of its constant; 0 if it is computed.
        has_scale: Whether it has quantization parameters.
    """

    index: int
    label: str
    shape: tuple[int | None, ...]
    dtype: str
    buffer: int
    num_bytes: int
    has_scale: bool

    @property
    def is_constant(self) -> bool:
        return self.num_bytes > 0


@dataclasses.dataclass(frozen=True)
class Op:
    """An op with its tensors; optional inputs that are left out do not count."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def computed(self) -> list[Tensor]:
        """Its inputs and outputs that are no constants."""
        return [t for t in (*self.inputs, *self.outputs) if not t.is_constant]

    @property
    def unpacks_weights(self) -> bool:
        """Whether it only turns a stored weight into float32."""
        return self.name in ("DEQUANTIZE", "DENSIFY") and all(
            tensor.is_constant for tensor in self.inputs
        )


@dataclasses.dataclass(frozen=True)
class Graph:
    """A subgraph: its name, tensors, ops in order, inputs and outputs."""

    name: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def of_model(model: schema.ModelT) -> list[Graph]:
    """Reads the subgraphs of a file.

    Args:
        model: `schema.ModelT`, from `flatbuffer.read`.

    Returns:
        A list of `Graph`.
    """
    return [_graph(model, number) for number in range(len(model.subgraphs))]


def _graph(model, number):
    graph = model.subgraphs[number]
    tensors = [
        _tensor(model, tensor, index, number)
        for index, tensor in enumerate(graph.tensors)
    ]

    def picked(indices):
        return tuple(tensors[index] for index in indices if index >= 0)

    ops = (
        Op(flatbuffer.op_name(model, op), picked(op.inputs), picked(op.outputs))
        for op in graph.operators
    )
    name = flatbuffer.text(graph.name) or f"subgraph {number}"
    ends = picked(graph.inputs), picked(graph.outputs)
    return Graph(name, tuple(tensors), tuple(ops), *ends)


def _tensor(model, tensor, index, number):
    sizes = tensor.shape
    if len(tensor.shapeSignature) == len(tensor.shape):
        sizes = tensor.shapeSignature
    quantization = tensor.quantization
    return Tensor(
        index,
        flatbuffer.text(tensor.name) or f"tensor {index} of subgraph {number}",
        tuple(None if size < 0 else int(size) for size in sizes),
        flatbuffer.type_name(tensor),
        tensor.buffer,
        flatbuffer.constant_size(model, tensor),
        quantization is not None and quantization.scale is not None,
    )
