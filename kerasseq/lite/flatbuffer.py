"""The object tree of a `.tflite` file, checked before anything is done with it.

This module imports neither TensorFlow nor Keras.
"""

import os

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq.lite import _checks, _file_bytes

_IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every TFLite flatbuffer
_ALIGNMENT = 16
FLEX = "Flex"  # how the names of TensorFlow's ops begin


def _names(enumeration):
    pairs = vars(enumeration).items()
    return {code: name for name, code in pairs if not name.startswith("_")}


_OP_NAMES = _names(schema.BuiltinOperator)
_TYPE_NAMES = _names(schema.TensorType)
BUILTIN_NAMES = frozenset(_OP_NAMES.values())
UNKNOWN = "UNKNOWN_"  # then its code: an op or type newer than the installed schema


def read(path: str | os.PathLike[str]) -> schema.ModelT:
    """Reads a TFLite file and checks that its parts point to parts that are there.

    Args:
        path: Path of the file.

    Returns:
        A `schema.ModelT`. A vector that the file leaves out is an empty list, and the
        data of buffers is not copied.

    Raises:
        ValueError: If the file is missing, empty, truncated or of another kind.
    """
    return parse(_file_bytes.read(path), f"path={os.fspath(path)!r}")


def parse(data: bytes, source: str = "bytes") -> schema.ModelT:
    """As `read`, of a file in memory.

    Args:
        data: The bytes.
        source: How messages name the file.

    Returns:
        A `schema.ModelT`.

    Raises:
        ValueError: If the bytes are damaged, or a part of a file.
    """
    check(data, source)
    try:
        model = tree(data)
        _fill(model)
    except Exception as error:  # its options, which `check` does not look into
        raise _damaged(data, source, error) from error
    return model


def check(data: bytes, source: str = "bytes") -> None:
    """Checks a file in memory without making its object tree.

    Args:
        data: The bytes.
        source: How messages name the file.

    Raises:
        ValueError: If the bytes are damaged, or a part of a file.
    """
    try:
        _checks.check(data)
    except Exception as error:  # a broken flatbuffer raises anything
        raise _damaged(data, source, error) from error


def tree(data: bytes | bytearray) -> schema.ModelT:
    """The object tree of bytes that need no check, as those of a converter.

    Args:
        data: The bytes of a file.

    Returns:
        A `schema.ModelT`. A vector that the file leaves out is `None`.
    """
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def write(model: schema.ModelT) -> bytes:
    """Writes an object tree as a TFLite file.

    Constants lie at multiples of 16 bytes, as the schema asks for; the generated
    `ModelT.Pack` alone puts them at multiples of 4, which some delegates and
    microcontrollers do not take.

    Args:
        model: `schema.ModelT`, e.g. from `read`.

    Returns:
        The bytes of the file.
    """
    builder = _AligningBuilder()
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def op_name(model: schema.ModelT, op: schema.OperatorT) -> str:
    """The name of an op.

    Args:
        model: `schema.ModelT`.
        op: `schema.OperatorT`, one of its ops.

    Returns:
        A name such as `"ADD"`, `"FlexCumprod"` or, for a code that the installed
        schema does not know, `"UNKNOWN_250"`.
    """
    code = model.operatorCodes[op.opcodeIndex]
    if code.customCode:
        return text(code.customCode)
    # Codes above 127 are only in the newer field; the older one then holds 127.
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    return _OP_NAMES.get(builtin, f"{UNKNOWN}{builtin}")


def type_name(tensor: schema.TensorT) -> str:
    """The name of a tensor's type, e.g. `"FLOAT32"`; `schema.TensorT` in."""
    return _TYPE_NAMES.get(tensor.type, f"{UNKNOWN}{tensor.type}")


def constant_size(model: schema.ModelT, tensor: schema.TensorT) -> int:
    """The number of bytes that the file holds for a tensor; 0 if it is computed."""
    buffer = model.buffers[tensor.buffer]
    # Behind the flatbuffer if it would be larger than 2 GB otherwise.
    return len(buffer.data) or buffer.size or 0


def text(value: bytes | str | None) -> str:
    """The text of a name of the object tree; `""` for none."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


class _AligningBuilder(flatbuffers.Builder):
    """Puts vectors of bytes, which constants are, at multiples of 16."""

    def CreateNumpyVector(self, x):
        if x.dtype == np.uint8:
            self.Prep(_ALIGNMENT, x.nbytes)
        return super().CreateNumpyVector(x)


def _damaged(data, source, error):
    return ValueError(
        "The TFLite file is damaged or truncated; write or copy it again. "
        f"Received: {source} with {len(data)} bytes ({error})"
    )


def _fill(model):
    """Puts an empty list where the file leaves out a vector."""
    for graph in _filled(model, "subgraphs"):
        _filled(graph, "inputs")
        _filled(graph, "outputs")
        for tensor in _filled(graph, "tensors"):
            _filled(tensor, "shape")
            _filled(tensor, "shapeSignature")
        for op in _filled(graph, "operators"):
            _filled(op, "inputs")
            _filled(op, "outputs")
    for buffer in _filled(model, "buffers"):
        _filled(buffer, "data")
    for signature in _filled(model, "signatureDefs"):
        _filled(signature, "inputs")
        _filled(signature, "outputs")
    _filled(model, "operatorCodes")
    _filled(model, "metadata")


def _filled(owner, name):
    if getattr(owner, name) is None:
        setattr(owner, name, [])
    return getattr(owner, name)
