"""What a GPU delegate refuses of a TFLite file, and where it cuts the graph."""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

from kerasseq.doctor import composites
from kerasseq.doctor import graphs as graphs_lib
from kerasseq.lite import gpu_rules


def describe(
    graphs: Sequence[graphs_lib.Graph], entries: Mapping[str, graphs_lib.Graph]
) -> dict[str, Any]:
    """Describes what the delegate does with a file.

    Args:
        graphs: List of `graphs.Graph`.
        entries: `{signature: its graphs.Graph}`.

    Returns:
        A dict: `"refused"` (`{op name: {reason: count}}` over all subgraphs) and
        `"entries"` (`{signature: {"ops", "gpu_ops", "pieces"}}`, where `gpu_ops` is
        the size of the largest piece, the one that the delegate takes by default, and
        `pieces` a list of `{"device", "ops": {name: count}}` in order of execution).
        A composite counts as the ops inside it, as the runtime takes it.
    """
    return {
        "refused": _refused(graphs),
        "entries": {
            name: _entry(composites.inlined(graph, graphs))
            for name, graph in entries.items()
        },
    }


def pieces(graph: graphs_lib.Graph) -> list[tuple[bool, list[str]]]:
    """Cuts a subgraph as the delegate's partitioner does.

    A piece takes all ops of one kind that are ready, the first ready op decides the
    kind, and what a DEQUANTIZE unpacks counts as a constant.

    Args:
        graph: `graphs.Graph`.

    Returns:
        A list of pairs `(whether it runs on the GPU, names of its ops)`.

    Reference:
        https://github.com/google-ai-edge/LiteRT, `tflite/graph_info.cc`.
    """
    waiting = [(op, reason(op) is None) for op in graph.ops if not op.unpacks_weights]
    pending = {tensor.index for op, _ in waiting for tensor in op.outputs}
    result = []
    while waiting:
        kind, names, waiting = _next_piece(waiting, pending)
        if not names:  # a damaged file: ops that wait for each other
            kind, names, waiting = False, [op.name for op, _ in waiting], []
        result.append((kind, names))
    return result


def reason(op: graphs_lib.Op) -> str | None:
    """Why the delegate leaves an op to the CPU; `None` if it takes it."""
    shapes = [tensor.shape for tensor in (*op.inputs, *op.outputs)]
    types = [
        [tensor.dtype for tensor in side if not tensor.is_constant]
        for side in (op.inputs, op.outputs)
    ]
    return gpu_rules.refusal(op.name, shapes, *types)


def _next_piece(waiting, pending):
    kind, names, more = None, [], True
    while more:
        more, rest = False, []
        for op, on_gpu in waiting:
            ready = not any(tensor.index in pending for tensor in op.inputs)
            if ready and kind in (None, on_gpu):
                kind, more = on_gpu, True
                names.append(op.name)
                pending.difference_update(tensor.index for tensor in op.outputs)
            else:
                rest.append((op, on_gpu))
        waiting = rest
    return kind, names, waiting


def _refused(graphs):
    found = {}
    for op in (op for graph in graphs for op in graph.ops):
        why = reason(op)
        if why is None or op.unpacks_weights or composites.is_composite(op):
            continue
        reasons = found.setdefault(op.name, collections.Counter())
        reasons[why] += 1
    return {name: dict(reasons) for name, reasons in sorted(found.items())}


def _entry(graph):
    cut = pieces(graph)
    return {
        "ops": sum(len(names) for _, names in cut),
        "gpu_ops": max((len(names) for on_gpu, names in cut if on_gpu), default=0),
        "pieces": [
            {
                "device": "gpu" if on_gpu else "cpu",
                "ops": dict(sorted(collections.Counter(names).items())),
            }
            for on_gpu, names in cut
        ],
    }
