"""Leaves out reshapes that go around other ops."""

from litert_converter.mlir import ir

from kerasseq.export.stablehlo import loops, tfl

_REDUCTIONS = ("tfl.mean", "tfl.sum", "tfl.reduce_max", "tfl.reduce_min")
_ELEMENTWISE = "add", "div", "maximum", "mul", "rsqrt", "sqrt", "sub"


def simplify(module: ir.Module) -> None:
    """Rewrites a module of the dialect `tfl`.

    - A reduction whose axes come back as 1, after steps by element, keeps them.
    - A dense layer between two reshapes takes the tensor as it was before the first.

    Args:
        module: The module, which is changed.
    """
    with ir.Location.unknown(module.context):
        operations = loops.walk(module.operation)
        for operation in operations:
            if operation.name in _REDUCTIONS:
                _keep_axes(operation)
            elif operation.name == "tfl.fully_connected":
                _unmerge(operation)
        tfl.sweep(loops.walk(module.operation))


def _keep_axes(reduction):
    x, axes = reduction.operands
    cut = tfl.constant(axes)
    if cut is None or ir.BoolAttr(reduction.attributes["keep_dims"]).value:
        return
    shape = tfl.shape(x)
    for axis in cut:
        shape[axis] = 1
    steps = []  # by element, each the one that reads what is before it
    last = reduction
    readers = _readers(last)
    while len(readers) == 1 and _by_element(readers[0], last.results[0]):
        last = readers[0]
        steps.append(last)
        readers = _readers(last)
    if not readers or not all(_reshapes(reader, shape) for reader in readers):
        return
    new = _as(
        reduction, shape, list(reduction.operands), keep_dims=ir.BoolAttr.get(True)
    )
    before = reduction.results[0]
    for step in steps:
        operands = [new if value == before else value for value in step.operands]
        before, new = step.results[0], _as(step, shape, operands)
    for reader in readers:
        reader.results[0].replace_all_uses_with(new)


def _by_element(operation, value):
    """Whether an operation computes each element from one of a value and numbers."""
    others = [x for x in operation.operands if x != value]
    return (
        operation.name.removeprefix("tfl.") in _ELEMENTWISE
        and tfl.shape(operation.results[0]) == tfl.shape(value)
        and not any(map(tfl.shape, others))
    )


def _unmerge(dense):
    x, *weights = dense.operands
    reshape = tfl.owner(x, "tfl.reshape")
    readers = _readers(dense)
    if not reshape or not readers or any(x.name != "tfl.reshape" for x in readers):
        return
    before = reshape.operands[0]
    shape = tfl.shape(before)
    if len(shape) < 2 or shape[-1] != tfl.shape(x)[-1]:
        return
    keeps = {"keep_num_dims": ir.BoolAttr.get(True)}
    shape = [*shape[:-1], tfl.shape(dense.results[0])[-1]]
    new = _as(dense, shape, [before, *weights], **keeps)
    dense.results[0].replace_all_uses_with(new)
    for reader in _readers(new.owner):
        if tfl.shape(reader.results[0]) == shape:
            reader.results[0].replace_all_uses_with(new)


def _readers(operation):
    return [use.owner.operation for use in operation.results[0].uses]


def _reshapes(operation, shape):
    reshapes = operation.name == "tfl.reshape"
    return reshapes and tfl.shape(operation.results[0]) == shape


def _as(operation, shape, operands, **attributes):
    """The result of the same operation on other operands, in another shape."""
    kept = {name: operation.attributes[name] for name in operation.attributes}
    element = operation.results[0].type.element_type
    point = ir.InsertionPoint(operation)
    return tfl.made(
        operation.name, shape, element, operands, point, **{**kept, **attributes}
    )
