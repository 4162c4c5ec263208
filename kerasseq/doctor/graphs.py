"""The subgraphs of a TFLite file as plain records."""

import dataclasses
import math
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import _calls, flatbuffer

_NUMBERS = {"INT32": "<i4", "INT64": "<i8"}  # of axes, paddings and shapes


def _none():
    return np.zeros(0, np.uint8)


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
        block_size: Elements that share a scale, if it is quantized in blocks, else 0.
        scales: Scales of the quantization, one or one per channel.
        data: The bytes of its constant that the flatbuffer holds.
        is_variable: Whether it keeps its values from run to run.
    """

    index: int
    label: str
    shape: tuple[int | None, ...]
    dtype: str
    buffer: int
    num_bytes: int
    has_scale: bool
    block_size: int = 0
    scales: np.ndarray = dataclasses.field(default_factory=_none, compare=False)
    data: np.ndarray = dataclasses.field(default_factory=_none, compare=False)
    is_variable: bool = False

    @property
    def is_constant(self) -> bool:
        return self.num_bytes > 0

    @property
    def num_elements(self) -> int:
        """The product of its sizes; one that is not fixed counts as 1."""
        return math.prod(1 if size is None else size for size in self.shape)

    @property
    def numbers(self) -> list[int] | None:
        """The integers of its constant; `None` if it holds none."""
        kind = np.dtype(_NUMBERS.get(self.dtype, "u1"))
        if kind.itemsize == 1 or not len(self.data) or len(self.data) % kind.itemsize:
            return None
        return self.data.view(kind).tolist()


@dataclasses.dataclass(frozen=True)
class Op:
    """An op with its tensors; optional inputs that are left out do not count.

    Attributes:
        name: Its name.
        inputs: Its inputs.
        outputs: Its outputs.
        calls: Indices of the subgraphs that it calls.
        options: Its options, as the schema has them, or `None`.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    calls: tuple[int, ...] = ()
    options: Any = None

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
        Op(
            flatbuffer.op_name(model, op),
            picked(op.inputs),
            picked(op.outputs),
            _calls.of_tree(op),
            op.builtinOptions or op.builtinOptions2,
        )
        for op in graph.operators
    )
    name = flatbuffer.text(graph.name) or f"subgraph {number}"
    ends = picked(graph.inputs), picked(graph.outputs)
    return Graph(name, tuple(tensors), tuple(ops), *ends)


def _tensor(model, tensor, index, number):
    sizes = tensor.shape
    if len(tensor.shapeSignature) == len(tensor.shape):
        sizes = tensor.shapeSignature
    scales, details = _quantization(tensor)
    return Tensor(
        index,
        flatbuffer.text(tensor.name) or f"tensor {index} of subgraph {number}",
        tuple(None if size < 0 else int(size) for size in sizes),
        flatbuffer.type_name(tensor),
        tensor.buffer,
        flatbuffer.constant_size(model, tensor),
        len(scales) > 0 or details is not None,
        getattr(details, "blockSize", 0),
        scales,
        np.asarray(model.buffers[tensor.buffer].data, np.uint8),
        bool(tensor.isVariable),
    )


def _quantization(tensor):
    """`(scales, other parameters)`; of blocks the scales are a tensor of their own."""
    quantization = tensor.quantization
    if quantization is None:
        return _none(), None
    scales = _none() if quantization.scale is None else np.asarray(quantization.scale)
    return scales, quantization.details
