"""What TensorFlow Lite Micro refuses of a TFLite file."""

import collections
from collections.abc import Sequence

from kerasseq.doctor import graphs as graphs_lib
from kerasseq.lite import micro_rules

_FLOATS = ("FLOAT32", "FLOAT16", "FLOAT64")


def refused(graphs: Sequence[graphs_lib.Graph]) -> dict[str, dict[str, int]]:
    """Counts the ops that the interpreter does not run.

    Args:
        graphs: List of `graphs.Graph`.

    Returns:
        `{op name: {reason: count}}` over all subgraphs.
    """
    found: dict[str, collections.Counter] = {}
    for op in (op for graph in graphs for op in graph.ops):
        reason = micro_rules.refusal(
            op.name,
            [tensor.dtype for tensor in op.computed],
            [t.dtype for t in op.inputs if t.is_constant and _is_weight(t)],
        )
        if reason:
            found.setdefault(op.name, collections.Counter())[reason] += 1
    return {name: dict(reasons) for name, reasons in sorted(found.items())}


def _is_weight(tensor):
    return tensor.has_scale or tensor.dtype in _FLOATS
