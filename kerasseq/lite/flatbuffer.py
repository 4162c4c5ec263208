"""The object tree of a `.tflite` file, checked before anything is done with it.

This module imports neither TensorFlow nor Keras.
"""

import mmap
import os

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every TFLite flatbuffer
_ALIGNMENT = 16
FLEX = "Flex"  # how the names of TensorFlow's ops begin
_KINDS = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"\x89HDF": "an HDF5 file of weights: load them into their model, then export it",
    b"PK\x03\x04": "a ZIP archive, e.g. `.keras` (load and export it) or `.task` "
    "(unpack it: the `.tflite` is inside)",
    b"GGUF": "a GGUF file",
    b"\x1f\x8b": "a gzip file: unpack it",
    b"version https://git-lfs": "a Git LFS pointer: fetch the file with `git lfs pull`",
    b"<!": "a web page: the download failed",
    b"<html": "a web page: the download failed",
}


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
    path = os.fspath(path)
    return parse(_map(path), f"path={path!r}")


def parse(data: bytes | bytearray | mmap.mmap, source: str = "bytes") -> schema.ModelT:
    """As `read`, of a file in memory.

    Args:
        data: The bytes, or a memory map of them.
        source: How messages name the file.

    Returns:
        A `schema.ModelT`.

    Raises:
        ValueError: If the bytes are damaged, or a part of a file.
    """
    try:
        model = tree(data)
        _fill(model)
        _check_indices(model, len(data))
    except Exception as error:  # a broken flatbuffer raises anything
        raise ValueError(
            "The TFLite file is damaged or truncated; write or copy it again. "
            f"Received: {source} with {len(data)} bytes ({error})"
        ) from error
    return model


def tree(data: bytes | bytearray | mmap.mmap) -> schema.ModelT:
    """The object tree of bytes that need no check, as those of a converter.

    Args:
        data: The bytes of a file, or a memory map of them.

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


def _map(path):
    if not os.path.isfile(path):
        raise ValueError(f"There is no file at this path. Received: path={path!r}")
    size = os.path.getsize(path)
    if size < 16:
        raise ValueError(
            f"The file is too short for a TFLite model; write or copy it again. "
            f"Received: path={path!r} with {size} bytes"
        )
    try:
        with open(path, "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise ValueError(
            "The file cannot be read; look at its permissions. "
            f"Received: path={path!r} ({error})"
        ) from error
    if data[4:8] != _IDENTIFIER:
        kinds = [kind for start, kind in _KINDS.items() if data[: len(start)] == start]
        looks = f"; it looks like {kinds[0]}" if kinds else ""
        raise ValueError(
            f"The file is not a TFLite model: bytes 4 to 8 should be {_IDENTIFIER!r}. "
            f"Received: path={path!r} with {bytes(data[4:8])}{looks}"
        )
    return data


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


def _check_indices(model, size):
    """Raises if a part of the model points to a part that is not there."""
    num_buffers, num_codes = len(model.buffers), len(model.operatorCodes)
    _check_range([0], len(model.subgraphs), "subgraph")
    for buffer in model.buffers:
        _check_range([(buffer.offset or 0) + (buffer.size or 0)], size + 1, "buffer")
    for graph in model.subgraphs:
        tensors, operators = graph.tensors, graph.operators
        _check_range([tensor.buffer for tensor in tensors], num_buffers, "buffer")
        _check_range([op.opcodeIndex for op in operators], num_codes, "op code")
        groups = [graph.inputs, graph.outputs]
        groups += [side for op in operators for side in (op.inputs, op.outputs)]
        for group in groups:
            _check_range(group, len(tensors), "tensor")
    for signature in model.signatureDefs:
        _check_range([signature.subgraphIndex], len(model.subgraphs), "subgraph")
        tensors = model.subgraphs[signature.subgraphIndex].tensors
        ends = [*signature.inputs, *signature.outputs]
        _check_range([end.tensorIndex for end in ends], len(tensors), "tensor")


def _check_range(indices, limit, what):
    for index in indices:
        if not -1 <= index < limit:
            raise ValueError(f"{what} index {index} is out of range")
