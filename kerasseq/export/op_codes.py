"""The op codes of a TFLite file, to which its ops point."""

from ai_edge_litert import schema_py_generated as schema


def index(model: schema.ModelT, builtin: int, version: int = 1) -> int:
    """The number of an op code, which is added if the file has none such.

    Args:
        model: `schema.ModelT`, which may be changed.
        builtin: Out of `schema.BuiltinOperator`.
        version: The smallest version of the op that does.

    Returns:
        An index of `model.operatorCodes`.
    """
    for number, code in enumerate(model.operatorCodes):
        if code.builtinCode == builtin and code.version >= version:
            return number
    code = schema.OperatorCodeT()
    # The older field has 127 where the code is larger.
    code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
