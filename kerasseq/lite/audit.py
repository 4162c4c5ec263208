"""What a TFLite file holds: its ops, shapes, signatures and size."""

import collections
import math
import os
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import flatbuffer, gpu_rules
from kerasseq.lite.flatbuffer import FLEX, text

BUILTIN_NAMES = flatbuffer.BUILTIN_NAMES
# Stands for ops in a subgraph of its own, which are in the list themselves.
_COMPOSITE = "STABLEHLO_COMPOSITE"
_LARGE = 1024  # the converter leaves smaller constants as they are
_INTEGER_TYPES = ("INT8", "INT4", "UINT4", "INT2")
_WEIGHT_TYPES = ("FLOAT32", "FLOAT16", *_INTEGER_TYPES)


def audit_file(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Lists what a TFLite file holds.

    Args:
        path: Path of a `.tflite` file.

    Returns:
        A dict: `"ops"` (`{name: count}` over all subgraphs), `"flex_ops"` and
        `"custom_ops"` (names of ops that are no builtins; a mobile runtime loads
        neither), `"gpu_refused_ops"` (names of ops that the GPU delegate leaves to the
        CPU, see `gpu_rules.refused_ops`), `"dynamic_shapes"` (whether any tensor has a
        size that is not fixed), `"bytes"`, `"signatures"` (names), `"subgraphs"` (their
        number), `"tensor_types"` (`{type: count}`) and `"int8_share"` (of the elements
        of all constants with 1024 or more, integers for indices left out, the
        fraction that has 8 bits or fewer; `None` if there are none).

    Raises:
        ValueError: If the file is no valid TFLite file.

    Example:

    ```python
    audit.audit_file("model.tflite")["ops"]  # {"FULLY_CONNECTED": 2, "SOFTMAX": 1}
    ```
    """
    return of_model(flatbuffer.read(path), os.path.getsize(path))


def of_model(model: schema.ModelT, num_bytes: int) -> dict[str, Any]:
    """As `audit_file`, of a file that has been read.

    Args:
        model: `schema.ModelT`, from `flatbuffer.read`.
        num_bytes: The size of the file.

    Returns:
        A dict as from `audit_file`.
    """
    operators = list(_operators(model))
    counts = collections.Counter(name for name, _ in operators)
    custom = _custom_names(model) & {*counts}
    return {
        "ops": dict(sorted(counts.items())),
        "flex_ops": sorted(name for name in custom if name.startswith(FLEX)),
        "custom_ops": sorted(name for name in custom if not name.startswith(FLEX)),
        "gpu_refused_ops": gpu_rules.refused_ops(
            (name, shapes) for name, shapes in operators if name != _COMPOSITE
        ),
        "dynamic_shapes": any(map(_has_dynamic_shape, model.subgraphs)),
        "bytes": num_bytes,
        "signatures": [text(s.signatureKey) for s in model.signatureDefs],
        "subgraphs": len(model.subgraphs),
        "tensor_types": _tensor_types(model),
        "int8_share": _int8_share(model),
    }


def check_builtin(content: dict[str, Any]) -> None:
    """Raises if a file holds ops that are no builtins.

    Args:
        content: What `audit_file` returned.

    Raises:
        ValueError: With the names of the ops.
    """
    foreign = content["flex_ops"] + content["custom_ops"]
    if foreign:
        raise ValueError(
            "The TFLite file holds ops that mobile runtimes do not load; write the "
            f"layers that cause them with other ops. Received: {foreign}"
        )


def _operators(model):
    """Pairs of the name of an op and the shapes of its tensors."""
    for graph in model.subgraphs:
        for op in graph.operators:
            tensors = [index for index in (*op.inputs, *op.outputs) if index >= 0]
            shapes = [graph.tensors[index].shape for index in tensors]
            yield flatbuffer.op_name(model, op), shapes


def _custom_names(model):
    """Names in the list of op codes, of which not every one need be used."""
    return {text(code.customCode) for code in model.operatorCodes if code.customCode}


def _tensor_types(model):
    types = [flatbuffer.type_name(t) for g in model.subgraphs for t in g.tensors]
    return dict(sorted(collections.Counter(types).items()))


def _int8_share(model):
    """The fraction of integers in the weights that are large enough to be quantized."""
    weights = {
        tensor.buffer: (flatbuffer.type_name(tensor), math.prod(tensor.shape))
        for graph in model.subgraphs
        for tensor in graph.tensors
        if len(model.buffers[tensor.buffer].data)
    }
    sizes = collections.Counter()
    for name, size in weights.values():
        if size >= _LARGE and name in _WEIGHT_TYPES:
            sizes[name] += int(size)
    integers = sum(sizes[name] for name in _INTEGER_TYPES)
    return integers / sizes.total() if sizes else None


def _has_dynamic_shape(graph):
    return any(size < 0 for t in graph.tensors for size in t.shapeSignature)
