"""Moves the loops of a converted module into functions, as a TFLite file has them.

LiteRT's converter leaves condition and body of a `tfl.while` in line, and its writer
wants each as a function of its own.
"""

from typing import Any

from litert_converter.mlir import ir


def outline(module: ir.Module) -> None:
    """Makes a function of each condition and body, inner loops first.

    What a loop takes from outside is carried through it; constants are copied into
    each function.

    Args:
        module: A module of the dialect `tfl`, which is changed.
    """
    with ir.Location.unknown(module.context):
        for number, loop in enumerate(_loops(module.operation)):
            _outline(module, loop, number)


def walk(operation: Any) -> list[Any]:
    """All operations inside one, the inner ones before the outer."""
    found = []
    for region in operation.regions:
        for block in region.blocks:
            for inner in block.operations:
                found += [*walk(inner.operation), inner.operation]
    return found


def _loops(operation):
    return [inner for inner in walk(operation) if inner.name == "tfl.while"]


def _outline(module, loop, number):
    carried = _captured(loop)
    new = ir.Operation.create(
        "tfl.while",
        results=[value.type for value in (*loop.results, *carried)],
        operands=[*loop.operands, *carried],
        attributes={name: loop.attributes[name] for name in loop.attributes},
        regions=2,
        ip=ir.InsertionPoint(loop),
    )
    for region, new_region, role in zip(
        loop.regions, new.regions, ("cond", "body"), strict=True
    ):
        passed_on = carried if role == "body" else []
        name = f"loop_{number}_{role}"
        inputs, outputs = _function(module, name, region.blocks[0], carried, passed_on)
        _call(new_region, name, inputs, outputs)
    for old, result in zip(loop.results, new.results, strict=False):
        old.replace_all_uses_with(result)
    loop.erase()


def _function(module, name, block, carried, passed_on):
    """Copies a block into a new function; the types of its arguments and results."""
    *steps, last = [operation.operation for operation in block.operations]
    inputs = [value.type for value in (*block.arguments, *carried)]
    outputs = [value.type for value in (*last.operands, *passed_on)]
    function = ir.Operation.create(
        "func.func",
        regions=1,
        ip=ir.InsertionPoint(module.body),
        attributes={
            "sym_name": ir.StringAttr.get(name),
            "sym_visibility": ir.StringAttr.get("private"),
            "function_type": ir.TypeAttr.get(ir.FunctionType.get(inputs, outputs)),
        },
    )
    body = _block(function.regions[0], inputs)
    copies = _Copies(
        body, zip([*block.arguments, *carried], body.arguments, strict=True)
    )
    for step in steps:
        copies.add(step)
    count = len(body.arguments) - len(passed_on)
    results = [copies.of(value) for value in last.operands]
    results += list(body.arguments)[count:]
    ir.Operation.create("func.return", operands=results, ip=ir.InsertionPoint(body))
    return inputs, outputs


def _call(region, name, inputs, outputs):
    block = _block(region, inputs)
    point = ir.InsertionPoint(block)
    call = ir.Operation.create(
        "func.call",
        results=outputs,
        operands=list(block.arguments),
        ip=point,
        attributes={"callee": ir.FlatSymbolRefAttr.get(name)},
    )
    ir.Operation.create("tfl.yield", operands=list(call.results), ip=point)


def _block(region, types):
    return ir.Block.create_at_start(region, types, [ir.Location.unknown()] * len(types))


class _Copies:
    """The values in a new function by those that they are copies of."""

    def __init__(self, body, pairs):
        self._body, self._found = body, dict(pairs)

    def add(self, step):
        clone = step.clone(ir.InsertionPoint(self._body))
        for inner in [*walk(clone), clone]:
            for index, value in enumerate(list(inner.operands)):
                if value in self._found or not _is_inside(value, clone):
                    inner.operands[index] = self.of(value)
        self._found.update(zip(step.results, clone.results, strict=True))

    def of(self, value):
        if value not in self._found:  # a constant from outside
            owner = value.owner.operation
            clone = owner.clone(ir.InsertionPoint.at_block_begin(self._body))
            self._found.update(zip(owner.results, clone.results, strict=True))
        return self._found[value]


def _is_inside(value, operation):
    """Whether a value is computed inside an operation, or is an argument there."""
    inside = {inner for inner in walk(operation)}
    owner = value.owner
    if isinstance(owner, ir.Block):
        return owner.owner.operation in inside or owner.owner.operation == operation
    return owner.operation in inside


def _captured(loop):
    """What the regions use from outside, constants apart."""
    inside = walk(loop)
    own = {result for inner in inside for result in inner.results}
    own |= {
        argument
        for owner in [loop, *inside]
        for region in owner.regions
        for block in region.blocks
        for argument in block.arguments
    }
    found: dict[Any, None] = {}
    for inner in inside:
        for value in inner.operands:
            if value not in own and not _is_constant(value):
                found[value] = None
    return list(found)


def _is_constant(value):
    return not isinstance(value.owner, ir.Block) and not len(value.owner.operands)
