"""What a TFLite file holds: its ops, shapes, signatures and size."""

import collections
import os

from ai_edge_litert import schema_py_generated as schema

from kerasseq import lite

_FLEX = "Flex"
_BUILTIN_NAMES = {
    code: name
    for name, code in vars(schema.BuiltinOperator).items()
    if not name.startswith("_")
}


def audit(path):
    """Lists what a TFLite file holds.

    Args:
        path: Path of a `.tflite` file.

    Returns:
        A dict: `"ops"` (`{name: count}` over all subgraphs), `"flex_ops"` and
        `"custom_ops"` (names of ops that are no builtins; a mobile runtime loads
        neither), `"dynamic_shapes"` (whether any tensor has a size that is not
        fixed), `"bytes"`, `"signatures"` (names) and `"subgraphs"` (their number).

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
    counts = collections.Counter(
        _op_name(model.operatorCodes[op.opcodeIndex])
        for graph in model.subgraphs
        for op in _list(graph.operators)
    )
    custom = {_text(c.customCode) for c in model.operatorCodes if c.customCode}
    return {
        "ops": dict(sorted(counts.items())),
        "flex_ops": sorted(name for name in custom if name.startswith(_FLEX)),
        "custom_ops": sorted(name for name in custom if not name.startswith(_FLEX)),
        "dynamic_shapes": any(map(_has_dynamic_shape, model.subgraphs)),
        "bytes": os.path.getsize(path),
        "signatures": [_text(s.signatureKey) for s in _list(model.signatureDefs)],
        "subgraphs": len(model.subgraphs),
    }


def _op_name(code):
    if code.customCode:
        return _text(code.customCode)
    # Codes above 127 are only in the newer field; the older one then holds 127.
    return _BUILTIN_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]


def _has_dynamic_shape(graph):
    return any(
        tensor.shapeSignature is not None and any(s < 0 for s in tensor.shapeSignature)
        for tensor in _list(graph.tensors)
    )


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def _list(vector):
    return [] if vector is None else vector
