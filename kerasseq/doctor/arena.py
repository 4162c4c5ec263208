"""How much memory TensorFlow Lite Micro needs to run a TFLite file."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

from kerasseq.doctor import graphs as graphs_lib

_ALIGNMENT = 16  # of buffers; micro_arena_constants.h
_ITEM_BYTES = {
    **dict.fromkeys(("FLOAT64", "INT64", "UINT64", "COMPLEX64"), 8),
    **dict.fromkeys(("FLOAT16", "BFLOAT16", "INT16", "UINT16"), 2),
    **dict.fromkeys(("INT8", "UINT8", "INT4", "UINT4", "INT2", "BOOL"), 1),
    "COMPLEX128": 16,
}
# What stays for good, about, on a core of 32 bits. The interpreter of tflite-micro
# (0.dev20261023) on 64 bits, with pointers twice as long, took 928 bytes for 1 op and
# 3 tensors, and 1504 for 4 ops and 9 tensors.
_BYTES_BASE = 512
_BYTES_PER_TENSOR, _BYTES_PER_OP, _BYTES_PER_CHANNEL = 12, 96, 8
_SUM_BYTES = {"INT8": 4, "INT16": 8}  # of what TRANSPOSE_CONV adds up beside its output
_DEEPEST = 16  # calls of subgraphs
_MOST_OPS = 100_000  # with those of subgraphs, as often as they are called
_MOST_PLANNED = 2000  # buffers; the planner takes the square of their number in steps


@dataclasses.dataclass
class _Buffer:
    size: int
    first: int
    last: int


def describe(graphs: Sequence[graphs_lib.Graph]) -> dict[str, Any] | None:
    """Estimates the tensor arena for the first subgraph, the one that is run.

    Of the scratch buffers that kernels ask for those of TRANSPOSE_CONV are in it, and
    sizes that are not fixed count as 1.

    Args:
        graphs: List of `graphs.Graph`.

    Returns:
        A dict of bytes: `"peak"` (the computed tensors that are alive at once, at the
        worst op), `"planned"` (what the greedy planner needs for them), `"persistent"`
        (records of tensors and ops, about) and `"arena"` (the last two together);
        `"worst_op"`, the name of that op. `None` if the graph is too large.

    Reference:
        https://github.com/tensorflow/tflite-micro, `tensorflow/lite/micro/
        memory_planner/greedy_memory_planner.cc` and `micro_allocation_info.cc`.
    """
    steps = list(itertools.islice(_steps(graphs, 0, 0), _MOST_OPS + 1))
    if len(steps) > _MOST_OPS:
        return None
    buffers = _lifetimes(graphs, steps)
    alive = [0] * (len(steps) + 1)
    for buffer in buffers:
        alive[buffer.first] += buffer.size
        if buffer.last + 1 < len(alive):
            alive[buffer.last + 1] -= buffer.size
    for place in range(1, len(alive)):
        alive[place] += alive[place - 1]
    peak = max(alive)
    planned = _plan(buffers) if len(buffers) <= _MOST_PLANNED else peak
    persistent = _BYTES_BASE + sum(map(_persistent_bytes, graphs))
    worst = alive.index(peak)
    return {
        "peak": peak,
        "planned": planned,
        "persistent": persistent,
        "arena": planned + persistent,
        "worst_op": steps[worst - 1][1].name if worst else "",
    }


def _steps(graphs, number, depth):
    """`(subgraph, op)` in the order of execution, subgraphs behind what calls them."""
    for op in graphs[number].ops:
        yield number, op
        if depth < _DEEPEST:
            for target in op.calls:
                yield from _steps(graphs, target, depth + 1)


def _lifetimes(graphs, steps):
    found = {}

    def use(number, tensors, place):
        for tensor in tensors:
            if tensor.is_constant or tensor.is_variable:
                continue
            key = (number, tensor.index)
            buffer = found.setdefault(key, _Buffer(_size(tensor), place, place))
            buffer.last = max(buffer.last, place)

    use(0, graphs[0].inputs, 0)
    for place, (number, op) in enumerate(steps, 1):
        use(number, (*op.inputs, *op.outputs), place)
    use(0, graphs[0].outputs, len(steps))
    scratch = (
        _Buffer(_scratch_bytes(op), place, place)
        for place, (_, op) in enumerate(steps, 1)
    )
    return [buffer for buffer in (*found.values(), *scratch) if buffer.size]


def _scratch_bytes(op):
    if op.name != "TRANSPOSE_CONV" or not op.outputs:
        return 0
    output = op.outputs[0]
    return _aligned(output.num_elements * _SUM_BYTES.get(output.dtype, 0))


def _size(tensor):
    return _aligned(tensor.num_elements * _ITEM_BYTES.get(tensor.dtype, 4))


def _aligned(num_bytes):
    return -(-num_bytes // _ALIGNMENT) * _ALIGNMENT


def _plan(buffers):
    """Places each buffer, the largest first, into the first gap that it fits in."""
    placed = []
    for buffer in sorted(buffers, key=lambda buffer: -buffer.size):
        offset = 0
        for start, other in placed:
            if other.first <= buffer.last and buffer.first <= other.last:
                if start - offset >= buffer.size:
                    break
                offset = max(offset, start + other.size)
        placed.append((offset, buffer))
        placed.sort(key=lambda pair: pair[0])
    return max((offset + buffer.size for offset, buffer in placed), default=0)


def _persistent_bytes(graph):
    channels = sum(len(t.scales) for t in graph.tensors if len(t.scales) > 1)
    variables = sum(_size(t) for t in graph.tensors if t.is_variable)
    return (
        variables
        + _BYTES_PER_TENSOR * len(graph.tensors)
        + _BYTES_PER_OP * len(graph.ops)
        + _BYTES_PER_CHANNEL * channels
    )
