"""Replaces composites, functions that were traced under a name, by one op each."""

import functools
from collections.abc import Callable

from litert_converter.mlir import ir

from kerasseq.export.stablehlo import (
    LSTM,
    RESIZE_BILINEAR,
    RESIZE_NEAREST,
    fused_lstm,
    loops,
    tfl,
)


def replace_all(module: ir.Module) -> None:
    """Replaces the composites of a module, and erases what they stand for.

    Args:
        module: A module of the dialect `tfl`, which is changed.
    """
    with ir.Location.unknown(module.context):
        composites = [x for x in loops.walk(module.operation) if _name(x) in _MAKERS]
        functions = {x.attributes["decomposition"].value for x in composites}
        for number, composite in enumerate(composites):
            _MAKERS[_name(composite)](composite, number)
            composite.erase()
        for function in list(module.body.operations):
            if function.attributes["sym_name"].value in functions:
                function.erase()


def _name(operation):
    if operation.name != "stablehlo.composite":
        return None
    return operation.attributes["name"].value


def _resize(op, composite, _):
    x, result = composite.operands[0], composite.results[0]
    point = ir.InsertionPoint(composite)
    shape = tfl.shape(result)
    resized = tfl.made(
        op,
        shape,
        result.type.element_type,
        [x, tfl.integers(shape[1:3], point)],
        point,
        align_corners=ir.BoolAttr.get(False),
        half_pixel_centers=ir.BoolAttr.get(True),
    )
    result.replace_all_uses_with(resized)


_MAKERS: dict[str, Callable[..., None]] = {
    LSTM: fused_lstm.replace,
    RESIZE_BILINEAR: functools.partial(_resize, "tfl.resize_bilinear"),
    RESIZE_NEAREST: functools.partial(_resize, "tfl.resize_nearest_neighbor"),
}
