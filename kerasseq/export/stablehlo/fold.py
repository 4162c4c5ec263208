"""Computes small constants that the converter leaves to be computed at run time."""

from typing import Any

import numpy as np
from litert_converter.mlir import ir

from kerasseq.export.stablehlo import loops, tfl

_MAX_ELEMENTS = 4096
_STORED = {"f32": tfl.floats, "i32": tfl.integers}
_FUNCTIONS = {
    "tfl.abs": np.abs,
    "tfl.add": np.add,
    "tfl.cast": np.asarray,
    "tfl.equal": np.equal,
    "tfl.greater": np.greater,
    "tfl.greater_equal": np.greater_equal,
    "tfl.less": np.less,
    "tfl.less_equal": np.less_equal,
    "tfl.logical_and": np.logical_and,
    "tfl.logical_not": np.logical_not,
    "tfl.logical_or": np.logical_or,
    "tfl.maximum": np.maximum,
    "tfl.minimum": np.minimum,
    "tfl.mul": np.multiply,
    "tfl.neg": np.negative,
    "tfl.not_equal": np.not_equal,
    "tfl.select_v2": np.where,
    "tfl.sub": np.subtract,
}


def constants(module: ir.Module) -> None:
    """Replaces operations on constants by their results, if these are small.

    Args:
        module: A module of the dialect `tfl`, which is changed.
    """
    known: dict[Any, np.ndarray] = {}
    with ir.Location.unknown(module.context):
        for operation in loops.walk(module.operation):
            if operation.name in _FUNCTIONS:
                _fold(operation, known)
        tfl.sweep(loops.walk(module.operation))


def _fold(operation, known):
    """Puts the value of an operation into `known`, or stores it if it is numbers."""
    result = operation.results[0]
    if np.prod(tfl.shape(result)) > _MAX_ELEMENTS or _activates(operation):
        return
    arrays = [
        known[value] if value in known else tfl.array(value)
        for value in operation.operands
    ]
    if any(array is None for array in arrays):
        return
    value = _FUNCTIONS[operation.name](*arrays)
    make = _STORED.get(str(result.type.element_type))
    if make:
        result.replace_all_uses_with(make(value, ir.InsertionPoint(operation)))
    else:
        known[result] = value


def _activates(operation):
    name = "fused_activation_function"
    attributes = operation.attributes
    return name in attributes and attributes[name].value != "NONE"
