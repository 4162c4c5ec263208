"""How far a TFLite file is quantized, and what in it is still float."""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasseq.doctor import graphs as graphs_lib

_FLOATS = ("FLOAT32", "FLOAT16", "FLOAT64")
_INTEGERS = ("INT8", "UINT8", "INT4", "UINT4", "INT2", "INT16")
_LARGE = 1024  # the converter leaves smaller constants as they are
# Where an op has its input, weights and bias.
_BIASES = {
    "CONV_2D": (0, 1, 2),
    "DEPTHWISE_CONV_2D": (0, 1, 2),
    "FULLY_CONNECTED": (0, 1, 2),
    "TRANSPOSE_CONV": (2, 1, 3),
}
_SUMS = ("INT32", "INT64")  # types of a bias of an integer kernel
_TOLERANCE = 0.02  # of the output's scale; kernel_util.cc of LiteRT
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
        `"int8"` with float parts, `"full_int8"`, `"int16x8"`, or `"integer"` for a file
        that computes in integers without scales), `"weights"` (`{kind: bytes}` of
        constants of 1024 elements or more, e.g. `{"INT4 in blocks of 32": 4096}`),
        `"odd_biases"` (names of biases whose scale is not the one that their op sums up
        in), and `{op name: count}`
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
        "weights": _weights(graphs),
        "odd_biases": [b.label for op in working for b in _odd_biases(op)],
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
    if "FLOAT16" in stored:
        return "float16"
    computed = {t.dtype for op in ops for t in op.computed}
    return "float32" if computed & set(_FLOATS) or not computed else "integer"


def _is_float(tensor):
    return tensor.dtype in _FLOATS


def _is_hybrid(op):
    return any(map(_is_float, op.outputs)) and any(
        tensor.is_constant and tensor.has_scale and tensor.dtype in _INTEGERS
        for tensor in op.inputs
    )


def _has_float_weight(op):
    return any(
        tensor.is_constant and _is_float(tensor) and tensor.num_elements >= _LARGE
        for tensor in op.inputs
    )


def _weights(graphs):
    found = {}
    for tensor in (tensor for graph in graphs for tensor in graph.tensors):
        if tensor.dtype in (*_FLOATS, *_INTEGERS) and tensor.num_elements >= _LARGE:
            found.setdefault(tensor.buffer, (_weight_kind(tensor), tensor.num_bytes))
    sizes = collections.Counter()
    for kind, num_bytes in found.values():
        sizes[kind] += num_bytes
    return {kind: size for kind, size in sizes.most_common() if size}


def _weight_kind(tensor):
    blocks = f" in blocks of {tensor.block_size}" if tensor.block_size else ""
    channels = " per channel" if len(tensor.scales) > 1 else ""
    return f"{tensor.dtype}{blocks or channels}"


def _odd_biases(op):
    """Biases that an integer kernel would add in another scale than its sums have.

    A sum of products has the scale of the input times that of the weights, one per
    output channel if the weights have one per channel, and so must the bias.
    """
    places = _BIASES.get(op.name)
    if places is None or len(op.inputs) <= max(places):
        return []
    x, weights, bias = (op.inputs[place] for place in places)
    if x.is_constant or bias.dtype not in _SUMS or len(x.scales) != 1:
        return []
    expected = x.scales * weights.scales
    if not len(expected) or not len(op.outputs[0].scales):
        return []
    fits = len(bias.scales) == len(expected) and np.allclose(
        bias.scales, expected, rtol=0, atol=_TOLERANCE * op.outputs[0].scales[0]
    )
    return [] if fits else [bias]


def _count(ops):
    return dict(sorted(collections.Counter(op.name for op in ops).items()))


def _float_names(entries, side):
    ends = [end for entry in entries.values() for end in entry[side].items()]
    floats = (name for name, spec in ends if spec["dtype"].upper() in _FLOATS)
    return list(dict.fromkeys(floats))
