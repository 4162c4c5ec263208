"""Which subgraphs of a TFLite file the ops of a subgraph call."""

import contextlib
import graphlib
from collections.abc import Iterator, Sequence

from ai_edge_litert import schema_py_generated as schema

_MOST_CALLS = 10**6  # of ops, with those of the subgraphs that they call
_DEEPEST = 64
# `{option: where the schema's older or newer field of options holds subgraphs}`.
_OPTIONS = {
    "CallOptions": ("Subgraph",),
    "CallOnceOptions": ("InitSubgraphIndex",),
    "IfOptions": ("ThenSubgraphIndex", "ElseSubgraphIndex"),
    "WhileOptions": ("CondSubgraphIndex", "BodySubgraphIndex"),
}
_OPTIONS_2 = {
    "StableHLOCompositeOptions": ("DecompositionSubgraphIndex",),
    "StablehloReduceOptions": ("BodySubgraphIndex",),
    "StablehloReduceWindowOptions": ("BodySubgraphIndex",),
    "StablehloScatterOptions": ("UpdateComputationSubgraphIndex",),
    "StablehloSortOptions": ("ComparatorSubgraphIndex",),
    "StablehloWhileOptions": ("CondSubgraphIndex", "BodySubgraphIndex"),
}


def _by_code(enumeration, options):
    return {
        getattr(enumeration, name): (getattr(schema, name), fields)
        for name, fields in options.items()
    }


_KINDS = {
    "BuiltinOptions": _by_code(schema.BuiltinOptions, _OPTIONS),
    "BuiltinOptions2": _by_code(schema.BuiltinOptions2, _OPTIONS_2),
}


def called(op: schema.Operator) -> Iterator[int]:
    """Indices of the subgraphs that an op calls."""
    for field, kinds in _KINDS.items():
        kind, fields = kinds.get(getattr(op, f"{field}Type")(), (None, ()))
        table = getattr(op, field)() if kind else None
        if table is not None:
            options = kind()
            options.Init(table.Bytes, table.Pos)
            yield from (getattr(options, name)() for name in fields)


def check(graphs: Sequence[schema.SubGraph]) -> None:
    """Checks that calls end: the runtime would follow them until its stack is full.

    Args:
        graphs: The subgraphs of a file.

    Raises:
        ValueError: If a subgraph that is called is not there, calls itself, or calls
            are too many or too deep.
    """
    calls = [_all_called(graph) for graph in graphs]
    for target in (target for targets in calls for target in targets):
        if not 0 <= target < len(graphs):
            raise ValueError(f"subgraph index {target} is out of range")
    with contextlib.suppress(graphlib.CycleError):
        order = graphlib.TopologicalSorter(dict(enumerate(calls))).static_order()
        return _check_size(graphs, calls, list(order))
    raise ValueError("a subgraph calls itself")


def _all_called(graph):
    ops = (graph.Operators(index) for index in range(graph.OperatorsLength()))
    return [target for op in ops for target in called(op)]


def _check_size(graphs, calls, order):
    """`order`: of subgraphs, each behind those that it calls."""
    num_ops, depths = {}, {}
    for number in order:
        targets = calls[number]
        inner = sum(num_ops[target] for target in targets)
        num_ops[number] = graphs[number].OperatorsLength() + inner
        depths[number] = 1 + max((depths[target] for target in targets), default=0)
        if num_ops[number] > _MOST_CALLS or depths[number] > _DEEPEST:
            raise ValueError(
                f"subgraph {number} runs {num_ops[number]} ops, {depths[number]} "
                "subgraphs deep"
            )


def of_tree(op: schema.OperatorT) -> tuple[int, ...]:
    """As `called`, of an op of an object tree."""
    found = []
    for options in (op.builtinOptions, op.builtinOptions2):
        name = type(options).__name__.removesuffix("T")
        for field in {**_OPTIONS, **_OPTIONS_2}.get(name, ()):
            found.append(getattr(options, field[0].lower() + field[1:]))
    return tuple(found)
