"""How far a TFLite file is quantized, and what in it is still float."""

import collections
import math
from collections.abc import Mapping, Sequence
from typing import Any

from kerasseq.doctor import graphs as graphs_lib

_FLOATS = ("FLOAT32", "FLOAT16", "FLOAT64")
_INTEGERS = ("INT8", "UINT8", "INT4", "INT16")
_LARGE = 1024  # the converter leaves smaller constants as they are
_EDGES = ("QUANTIZE", "DEQUANTIZE")
# What only moves numbers; after an embedding table in int8 that is not computing.
_MOVES = (
    *("CONCATENATION", "EXPAND_DIMS", "GATHER", "PACK", "RESHAPE", "SLICE", "SPLIT"),
    *("SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK"),
)


def describe(
    graphs: Sequence[graphs_lib.Graph], entries: Mapping[str, Any]
) -> dict[str, Any]:
    """Describes the quantization of a file.

    Args:
        graphs: List of `graphs.Graph`.
        entries: `{signature: {"inputs": {name: {"dtype"}}, "outputs"}}`.

    Returns:
        A dict: `"state"` (`"float32"`, `"float16"`, `"weight_only"`, `"dynamic"`,
        `"int8"` with float parts, `"full_int8"` or `"int16x8"`), and `{op name: count}`
        for `"float_ops"` (compute in float), `"hybrid_ops"` (quantized weights, float
        results), `"float_weight_ops"` (read float weights of 1024 elements or more),
        and the names of `"float_inputs"` and `"float_outputs"`.
    """
    ops = [op for graph in graphs for op in graph.ops]
    working = [op for op in ops if op.name not in _EDGES]
    floats = [op for op in working if any(map(_is_float, op.computed))]
    hybrid = [op for op in working if _is_hybrid(op)]
    found = {
        "float_ops": _count(floats),
        "hybrid_ops": _count(hybrid),
        "float_weight_ops": _count(op for op in working if _has_float_weight(op)),
        "float_inputs": _float_names(entries, "inputs"),
        "float_outputs": _float_names(entries, "outputs"),
    }
    return {"state": _state(working, ops, found), **found}


def _state(working, ops, found):
    activations = collections.Counter(
        tensor.dtype
        for op in working
        for tensor in op.outputs
        if op.name not in _MOVES
        and tensor.has_scale
        and tensor.dtype in _INTEGERS
        and not tensor.is_constant
    )
    if activations["INT16"] > activations["INT8"] + activations["UINT8"]:
        return "int16x8"
    if activations:
        floats = ("float_ops", "hybrid_ops", "float_inputs", "float_outputs")
        return "int8" if any(found[key] for key in floats) else "full_int8"
    if found["hybrid_ops"]:
        return "dynamic"
    stored = {t.dtype for op in ops if op.unpacks_weights for t in op.inputs}
    if stored & set(_INTEGERS):
        return "weight_only"
    return "float16" if "FLOAT16" in stored else "float32"


def _is_float(tensor):
    return tensor.dtype in _FLOATS


def _is_hybrid(op):
    return any(map(_is_float, op.outputs)) and any(
        tensor.is_constant and tensor.has_scale and tensor.dtype in _INTEGERS
        for tensor in op.inputs
    )


def _has_float_weight(op):
    return any(
        tensor.is_constant
        and _is_float(tensor)
        and math.prod(size or 1 for size in tensor.shape) >= _LARGE
        for tensor in op.inputs
    )


def _count(ops):
    return dict(sorted(collections.Counter(op.name for op in ops).items()))


def _float_names(entries, side):
    ends = [end for entry in entries.values() for end in entry[side].items()]
    floats = (name for name, spec in ends if spec["dtype"].upper() in _FLOATS)
    return list(dict.fromkeys(floats))
