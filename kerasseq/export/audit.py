"""What a TFLite file holds: its ops, shapes, signatures and size."""

import collections
import math
import os

from ai_edge_litert import schema_py_generated as schema

from kerasseq import lite
from kerasseq.export import gpu_delegate

_FLEX = "Flex"
_LARGE = 1024  # the converter leaves smaller constants as they are
_WEIGHT_TYPES = ("FLOAT32", "FLOAT16", "INT8", "INT4")


def _names(enumeration):
    pairs = vars(enumeration).items()
    return {code: name for name, code in pairs if not name.startswith("_")}


_OP_NAMES = _names(schema.BuiltinOperator)
BUILTIN_NAMES = frozenset(_OP_NAMES.values())
_TYPE_NAMES = _names(schema.TensorType)


def audit(path):
    """Lists what a TFLite file holds.

    Args:
        path: Path of a `.tflite` file.

    Returns:
        A dict: `"ops"` (`{name: count}` over all subgraphs), `"flex_ops"` and
        `"custom_ops"` (names of ops that are no builtins; a mobile runtime loads
        neither), `"gpu_refused_ops"` (names of ops that the GPU delegate leaves to the
        CPU, see `gpu_delegate.refused`), `"dynamic_shapes"` (whether any tensor has a
        size that is not fixed), `"bytes"`, `"signatures"` (names), `"subgraphs"` (their
        number), `"tensor_types"` (`{type: count}`) and `"int8_share"` (of the elements
        of all constants with 1024 or more, integers for indices left out, the share
        that is int8; `None` if there are none).

    Raises:
        ValueError: If the file is no valid TFLite file.

    Example:

    ```python
    audit.audit("model.tflite")["ops"]  # {"FULLY_CONNECTED": 2, "SOFTMAX": 1}
    ```
    """
    path = lite.check_file(path)
    with open(path, "rb") as file:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(file.read(), 0))
    operators = list(_operators(model))
    counts = collections.Counter(name for name, _ in operators)
    custom = {_text(c.customCode) for c in model.operatorCodes if c.customCode}
    return {
        "ops": dict(sorted(counts.items())),
        "flex_ops": sorted(name for name in custom if name.startswith(_FLEX)),
        "custom_ops": sorted(name for name in custom if not name.startswith(_FLEX)),
        "gpu_refused_ops": gpu_delegate.refused(operators),
        "dynamic_shapes": any(map(_has_dynamic_shape, model.subgraphs)),
        "bytes": os.path.getsize(path),
        "signatures": [_text(s.signatureKey) for s in _list(model.signatureDefs)],
        "subgraphs": len(model.subgraphs),
        "tensor_types": _tensor_types(model),
        "int8_share": _int8_share(model),
    }


def check_builtin(content):
    """Raises if a file holds ops that are no builtins.

    Args:
        content: What `audit` returned.

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
        shapes = [_list(tensor.shape) for tensor in _list(graph.tensors)]
        for op in _list(graph.operators):
            tensors = [*_list(op.inputs), *_list(op.outputs)]
            name = _op_name(model.operatorCodes[op.opcodeIndex])
            yield name, [shapes[index] for index in tensors if index >= 0]


def _op_name(code):
    if code.customCode:
        return _text(code.customCode)
    # Codes above 127 are only in the newer field; the older one then holds 127.
    return _OP_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]


def _tensor_types(model):
    types = [_TYPE_NAMES[t.type] for g in model.subgraphs for t in _list(g.tensors)]
    return dict(sorted(collections.Counter(types).items()))


def _int8_share(model):
    """The share of int8 in the weights that are large enough to be quantised."""
    weights = {
        tensor.buffer: (_TYPE_NAMES[tensor.type], math.prod(tensor.shape))
        for graph in model.subgraphs
        for tensor in _list(graph.tensors)
        if tensor.shape is not None and len(_list(model.buffers[tensor.buffer].data))
    }
    sizes = collections.Counter()
    for name, size in weights.values():
        if size >= _LARGE and name in _WEIGHT_TYPES:
            sizes[name] += int(size)
    return sizes["INT8"] / sizes.total() if sizes else None


def _has_dynamic_shape(graph):
    return any(
        tensor.shapeSignature is not None and any(s < 0 for s in tensor.shapeSignature)
        for tensor in _list(graph.tensors)
    )


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def _list(vector):
    return [] if vector is None else vector
