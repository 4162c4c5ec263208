"""Reads and makes operations of the dialect `tfl`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from litert_converter.mlir import ir

_CONSTANTS = ("arith.constant",)
_LOOPS = ("tfl.while",)
_READ = ("f32", "i32", "i1")


def owner(value: Any, name: str) -> Any:
    """The operation of this name that computes a value, or `None`."""
    if isinstance(value.owner, ir.Block):
        return None
    operation = value.owner.operation
    return operation if operation.name == name else None


def constant(value: Any) -> list[int] | None:
    """The integers of a constant, or `None`."""
    if isinstance(value.owner, ir.Block):
        return None
    attributes = value.owner.operation.attributes
    if len(value.owner.operands) or "value" not in attributes:
        return None
    try:
        return [int(x) for x in ir.DenseIntElementsAttr(attributes["value"])]
    except ValueError:  # of floats
        return None


def array(value: Any) -> Any:
    """The array of a constant of float32, int32 or booleans, or `None`."""
    if isinstance(value.owner, ir.Block) or len(value.owner.operands):
        return None
    attributes = value.owner.operation.attributes
    if "value" not in attributes or str(value.type.element_type) not in _READ:
        return None
    try:
        return np.array(ir.DenseElementsAttr(attributes["value"])).reshape(shape(value))
    except ValueError:  # kept in another way
        return None


def shape(value: Any) -> list[int]:
    """The shape of a value, which is static."""
    return list(value.type.shape)


def after(value: Any, first: Any) -> ir.InsertionPoint:
    """Where a value can be read and its reader `first` comes later."""
    made_here = not isinstance(value.owner, ir.Block) and (
        value.owner.operation.block == first.block
    )
    if made_here:
        return ir.InsertionPoint.after(value.owner.operation)
    return ir.InsertionPoint.at_block_begin(first.block)


def integers(values: Any, point: ir.InsertionPoint) -> Any:
    """A constant of int32, of a number or nested lists of numbers."""
    array, i32 = np.array(values, np.int32), ir.IntegerType.get_signless(32)
    result = ir.RankedTensorType.get(list(array.shape), i32)
    return stored(array, result, point).results[0]


def floats(values: Any, point: ir.InsertionPoint) -> Any:
    """A constant of float32."""
    array = np.ascontiguousarray(values, np.float32)
    result = ir.RankedTensorType.get(list(array.shape), ir.F32Type.get())
    return stored(array, result, point).results[0]


def nothing(point: ir.InsertionPoint) -> Any:
    """What stands for an operand that an operation does without."""
    return ir.Operation.create(
        "tfl.no_value",
        results=[ir.NoneType.get()],
        attributes={"value": ir.UnitAttr.get()},
        ip=point,
    ).results[0]


def made(
    name: str,
    shape: Sequence[int],
    element: Any,
    operands: Sequence[Any],
    point: ir.InsertionPoint,
    **attributes: Any,
) -> Any:
    """The result of a new operation, of this shape and type of element."""
    return ir.Operation.create(
        name,
        results=[ir.RankedTensorType.get(shape, element)],
        operands=operands,
        attributes=attributes,
        ip=point,
    ).results[0]


def reshaped(value: Any, shape: Sequence[int], point: ir.InsertionPoint) -> Any:
    """A value in another shape."""
    sizes = integers(shape, point)
    element = value.type.element_type
    return made("tfl.reshape", shape, element, [value, sizes], point)


def gather(result: Any, table: Any, rows: Any, point: ir.InsertionPoint) -> Any:
    """The operation that takes rows, of this type of result."""
    zero = ir.IntegerAttr.get(ir.IntegerType.get_signless(32), 0)
    return ir.Operation.create(
        "tfl.gather",
        results=[result],
        operands=[table, rows],
        attributes={"axis": zero, "batch_dims": zero},
        ip=point,
    )


def replace(operation: Any, new: Any) -> None:
    """Lets what reads the results of an operation read those of another."""
    for old, result in zip(operation.results, new.results, strict=True):
        old.replace_all_uses_with(result)


def sweep(operations: Sequence[Any]) -> None:
    """Erases operations whose results nothing reads.

    Args:
        operations: Those to look at, in the order of the program.
    """
    for operation in reversed(operations):
        computes = operation.name.startswith("tfl.") or operation.name in _CONSTANTS
        used = any(len(list(result.uses)) for result in operation.results)
        if computes and operation.name not in _LOOPS and operation.results and not used:
            operation.erase()


def stored(array: Any, result: Any, point: ir.InsertionPoint) -> Any:
    """A constant operation of this type of result."""
    return ir.Operation.create(
        "arith.constant",
        results=[result],
        attributes={"value": ir.DenseElementsAttr.get(array, type=result.element_type)},
        ip=point,
    )
