"""Composites: ops that stand for a subgraph.

litert-torch writes norms and attention so. A runtime that has a kernel of the
composite's name takes it whole; another, and so LiteRT's `CompiledModel` for what it
does not know, takes the ops inside.
"""

import dataclasses
import itertools
from collections.abc import Sequence

from kerasseq.doctor import graphs as graphs_lib

_NAME = "STABLEHLO_COMPOSITE"
_MOST_OPS = 100_000


def is_composite(op: graphs_lib.Op) -> bool:
    """Whether an op stands for a subgraph that the file holds."""
    return op.name == _NAME and len(op.calls) == 1


def inlined(
    graph: graphs_lib.Graph, graphs: Sequence[graphs_lib.Graph]
) -> graphs_lib.Graph:
    """A subgraph with the ops inside its composites in their place.

    Args:
        graph: The subgraph.
        graphs: All subgraphs of the file.

    Returns:
        A subgraph; the tensors inside composites have new indices.
    """
    if not any(map(is_composite, graph.ops)):
        return graph
    ops = _ops(graph.ops, graphs, itertools.count(len(graph.tensors)), None)
    found = tuple(itertools.islice(ops, _MOST_OPS + 1))
    if len(found) > _MOST_OPS:  # composites in composites, each used often
        return graph
    return dataclasses.replace(graph, ops=found)


def _ops(ops, graphs, new_indices, names):
    """`names`: of tensors inside a composite, their indices outside, else `None`."""
    for op in ops:
        op = op if names is None else _renamed(op, names, new_indices)
        if not is_composite(op):
            yield op
            continue
        inside = graphs[op.calls[0]]
        ends = (*inside.inputs, *inside.outputs)
        outer = (*op.inputs, *op.outputs)
        known = {a.index: b.index for a, b in zip(ends, outer, strict=False)}
        yield from _ops(inside.ops, graphs, new_indices, known)


def _renamed(op, names, new_indices):
    inputs, outputs = (
        tuple(
            dataclasses.replace(
                tensor, index=names.setdefault(tensor.index, next(new_indices))
            )
            for tensor in side
        )
        for side in (op.inputs, op.outputs)
    )
    return dataclasses.replace(op, inputs=inputs, outputs=outputs)
