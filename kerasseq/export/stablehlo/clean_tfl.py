"""Rewrites a converted module to fewer ops of TFLite, and to those a GPU takes."""

import numpy as np
from litert_converter.mlir import ir

from kerasseq.export.stablehlo import (
    clean_shapes,
    clean_slices,
    composites,
    fold,
    loops,
    tfl,
)

_MAX_STORED = 4096  # elements


def clean(module: ir.Module) -> None:
    """Rewrites a module.

    - Composites become one op each.
    - What is computed from small constants becomes one.
    - `GATHER_ND` with indices of one axis becomes `GATHER`.
    - A softmax of `x - max(x)` becomes one of `x`: the op subtracts it anyhow.
    - A `SLICE` of one row, at a place known at run time, becomes `GATHER`.
    - A small constant is not broadcast at run time; other axes are repeated by `TILE`.
    - Products of a value with itself are squares.
    - The counter of a loop is not clamped to bounds that it does not leave.

    Args:
        module: A module of the dialect `tfl`, which is changed.
    """
    with ir.Location.unknown(module.context):
        composites.replace_all(module)
        fold.constants(module)
        found = [x for x in loops.walk(module.operation) if x.name in _REWRITES]
        for operation in found:  # what reads a value comes after what computes it
            _REWRITES[operation.name](operation)
        tfl.sweep(loops.walk(module.operation))
        clean_slices.join(module)
        tfl.sweep(loops.walk(module.operation))
        clean_shapes.simplify(module)


def _gather_rows(operation):
    params, indices = operation.operands
    shape = list(indices.type.shape)
    if shape[-1] != 1:
        return
    point = ir.InsertionPoint(operation)
    owner = tfl.owner(indices, "tfl.reshape")
    rows = owner.operands[0] if owner else None
    if rows is None or list(rows.type.shape) != shape[:-1]:
        rows = tfl.reshaped(indices, shape[:-1], point)
    tfl.replace(operation, tfl.gather(operation.results[0].type, params, rows, point))


def _softmax(operation):
    difference = tfl.owner(operation.operands[0], "tfl.sub")
    if not difference:
        return
    x, largest = difference.operands
    maximum = tfl.owner(_through(largest, *_KEEP_MAXIMUM), "tfl.reduce_max")
    if not maximum or _axes(maximum) != [_rank(maximum.operands[0]) - 1]:
        return
    same = _through(maximum.operands[0], "tfl.reshape") == _through(x, "tfl.reshape")
    if same and tfl.shape(maximum.operands[0])[-1] == tfl.shape(x)[-1]:
        operation.operands[0] = x


# A maximum with a constant keeps the largest of a row of infinities finite.
_KEEP_MAXIMUM = ("tfl.reshape", "tfl.broadcast_to", "tfl.maximum")


def _through(value, *names):
    """What a value is made from, before operations of these names."""
    while any(tfl.owner(value, name) for name in names):
        value = value.owner.operands[0]
    return value


def _broadcast(operation):
    """Stores what a small constant becomes; repeats axes with the faster `TILE`."""
    x, result = operation.operands[0], operation.results[0]
    shape, point = tfl.shape(result), ir.InsertionPoint(operation)
    value = tfl.array(x)
    numbers = str(result.type.element_type) != "i1"
    if value is not None and numbers and np.prod(shape) <= _MAX_STORED:
        stored = np.ascontiguousarray(np.broadcast_to(value, shape))
        tfl.replace(operation, tfl.stored(stored, result.type, point))
    elif shape and _rank(x) == len(shape):
        times = [new // old for new, old in zip(shape, tfl.shape(x), strict=True)]
        operands = [x, tfl.integers(times, point)]
        tile = tfl.made("tfl.tile", shape, result.type.element_type, operands, point)
        result.replace_all_uses_with(tile)


def _square(operation):
    """`(a - b) * (a - b)` and `a * a`."""
    value, other = operation.operands
    if value != other or str(value.type.element_type) != "f32":
        return
    difference = tfl.owner(value, "tfl.sub")
    new = ir.Operation.create(
        "tfl.squared_difference" if difference else "tfl.square",
        results=[operation.results[0].type],
        operands=list(difference.operands) if difference else [value],
        ip=ir.InsertionPoint(operation),
    )
    tfl.replace(operation, new)


def _one_row(operation):
    x, begin, sizes = operation.operands
    shape = list(x.type.shape)
    places = tfl.owner(begin, "tfl.pack")
    if not places or tfl.constant(sizes) != [1, *shape[1:]]:
        return
    row, *rest = places.operands
    if any(tfl.constant(place) != [0] for place in rest):
        return
    point = ir.InsertionPoint(operation)
    element = x.type.element_type
    gather = tfl.gather(ir.RankedTensorType.get(shape[1:], element), x, row, point)
    users = [use.owner.operation for use in operation.results[0].uses]
    for user in users:
        if user.name == "tfl.reshape" and tfl.shape(user.results[0]) == shape[1:]:
            user.results[0].replace_all_uses_with(gather.results[0])
    kept = tfl.reshaped(gather.results[0], [1, *shape[1:]], point)
    operation.results[0].replace_all_uses_with(kept)


def _bounded(operation):
    """`minimum(maximum(counter, 0), last)` of a loop that ends before `last`."""
    inner = tfl.owner(operation.operands[0], "tfl.maximum")
    last = tfl.constant(operation.operands[1])
    if not inner or tfl.constant(inner.operands[1]) != [0] or not last:
        return
    counter = inner.operands[0]
    if _counts_below(counter, last[0] + 1):
        operation.results[0].replace_all_uses_with(counter)


def _counts_below(value, limit):
    """Whether a value is a loop's counter, from 0 or more upwards and below a limit."""
    if not isinstance(value.owner, ir.Block):
        return False
    body, loop = value.owner, value.owner.owner.operation
    index = [argument == value for argument in body.arguments].index(True)
    if loop.name != "tfl.while" or body != loop.regions[1].blocks[0]:
        return False
    start = tfl.constant(loop.operands[index])
    step = tfl.owner(list(_last(body).operands)[index], "tfl.add")
    test_block = loop.regions[0].blocks[0]
    test = tfl.owner(_last(test_block).operands[0], "tfl.less")
    if not (start and start[0] >= 0 and step and test):
        return False
    if step.operands[0] != value or (tfl.constant(step.operands[1]) or [-1])[0] <= 0:
        return False
    stop = tfl.constant(test.operands[1])
    counted = test.operands[0] == test_block.arguments[index]
    return counted and stop is not None and stop[0] <= limit


_REWRITES = {
    "tfl.broadcast_to": _broadcast,
    "tfl.gather_nd": _gather_rows,
    "tfl.minimum": _bounded,
    "tfl.mul": _square,
    "tfl.slice": _one_row,
    "tfl.softmax": _softmax,
}


def _last(block):
    return list(block.operations)[-1].operation


def _rank(value):
    return len(tfl.shape(value))


def _axes(reduction):
    axes = tfl.constant(reduction.operands[1]) or []
    return [axis % _rank(reduction.operands[0]) for axis in axes]
