"""Joins slices of one tensor to the op that makes all of them at once."""

from collections import defaultdict
from typing import Any, NamedTuple

from litert_converter.mlir import ir

from kerasseq.export.stablehlo import loops, tfl


class _Part(NamedTuple):
    slice: Any
    axis: int
    begin: int
    size: int


def join(module: ir.Module) -> None:
    """Rewrites a module of the dialect `tfl`.

    - Slices of equal size that cover an axis become `SPLIT`.
    - Those of one row each, without the axis, become `UNPACK`.

    Args:
        module: The module, which is changed.
    """
    groups = defaultdict(list)
    with ir.Location.unknown(module.context):
        for operation in loops.walk(module.operation):
            if operation.name == "tfl.slice":
                part = _part(operation)
                if part:
                    key = (operation.operands[0], part.axis, part.size)
                    groups[key].append(part)
        for (x, axis, size), parts in groups.items():
            for together in _by_block(parts):
                _join(x, axis, size, together)


def _part(operation):
    """The part of one axis that a slice takes, `None` for another slice."""
    x, *places = operation.operands
    begin, sizes = map(tfl.constant, places)
    if begin is None or sizes is None:
        return None
    shape = tfl.shape(x)
    cut = [axis for axis, size in enumerate(shape) if sizes[axis] != size]
    if len(cut) != 1 or any(
        begin[axis] for axis in range(len(shape)) if axis != cut[0]
    ):
        return None
    return _Part(operation, cut[0], begin[cut[0]], sizes[cut[0]])


def _by_block(parts):
    """Lists of the parts in one block each, as in one body of a loop."""
    found: list[list[_Part]] = []
    for part in parts:
        for group in found:
            if group[0].slice.block == part.slice.block:
                group.append(part)
                break
        else:
            found.append([part])
    return found


def _join(x, axis, size, parts):
    length = tfl.shape(x)[axis]
    wanted = list(range(0, length, size))
    found = {part.begin: part.slice for part in reversed(parts)}
    if sorted(found) != wanted or length % size or len(wanted) < 2:
        return
    first = parts[0].slice
    point = tfl.after(x, first)
    rows = [_dropped(part.slice, axis) for part in parts]
    i32 = ir.IntegerType.get_signless(32)
    if size == 1 and all(rows):
        types = [rows[0][0].results[0].type] * len(wanted)
        new = ir.Operation.create(
            "tfl.unpack",
            results=types,
            operands=[x],
            attributes={
                "num": ir.IntegerAttr.get(i32, len(wanted)),
                "axis": ir.IntegerAttr.get(i32, axis),
            },
            ip=point,
        )
        for part, reshapes in zip(parts, rows, strict=True):
            result = new.results[wanted.index(part.begin)]
            for reshape in reshapes:
                reshape.results[0].replace_all_uses_with(result)
        return
    new = ir.Operation.create(
        "tfl.split",
        results=[first.results[0].type] * len(wanted),
        operands=[tfl.integers(axis, point), x],
        attributes={"num_splits": ir.IntegerAttr.get(i32, len(wanted))},
        ip=point,
    )
    for part in parts:
        result = new.results[wanted.index(part.begin)]
        part.slice.results[0].replace_all_uses_with(result)


def _dropped(operation, axis):
    """The users of a slice, if all of them drop the axis; else an empty list."""
    users = [use.owner.operation for use in operation.results[0].uses]
    shape = tfl.shape(operation.results[0])
    without = shape[:axis] + shape[axis + 1 :]
    drop = all(
        user.name == "tfl.reshape" and tfl.shape(user.results[0]) == without
        for user in users
    )
    return users if drop else []
