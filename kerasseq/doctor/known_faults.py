"""Graphs that a GPU runtime is known to compute wrongly, without an error.

Each was measured on a device by whoever reported it, and each has its thread; none is
a matter of which ops the runtime takes.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kerasseq.doctor import graphs as graphs_lib

_THREADS = "https://github.com/google-ai-edge/LiteRT/issues/"
_FLOATS = ("FLOAT32", "FLOAT16")
_MANY = 1024  # elements of a sum; 64 each on average are then too much for float16
_LARGEST_FLOAT16 = 65504


@dataclasses.dataclass(frozen=True)
class Fault:
    """A known fault.

    Attributes:
        thread: Number of its thread.
        what: What the runtime does.
        do: What to write instead.
        find: Function of a subgraph that yields names of tensors that are concerned.
    """

    thread: int
    what: str
    do: str
    find: Callable[[graphs_lib.Graph], Iterator[str]]


def describe(entries: Mapping[str, graphs_lib.Graph]) -> list[dict[str, Any]]:
    """Finds the known faults in the subgraphs that are run.

    Args:
        entries: `{signature: its graphs.Graph}`.

    Returns:
        A list of `{"thread": its address, "what", "do", "tensors": their names}`.
    """
    found = []
    for fault in FAULTS:
        names = [name for graph in entries.values() for name in fault.find(graph)]
        if names:
            thread = f"{_THREADS}{fault.thread}"
            texts = {"thread": thread, "what": fault.what, "do": fault.do}
            found.append({**texts, "tensors": names})
    return found


def _readers(graph):
    """`{tensor index: ops that read it}`."""
    found: dict[int, list[graphs_lib.Op]] = {}
    for op in graph.ops:
        for tensor in op.inputs:
            found.setdefault(tensor.index, []).append(op)
    return found


def _padded_rows(graph):
    for op in graph.ops:
        if op.name in ("PAD", "PADV2", "MIRROR_PAD") and len(op.inputs) > 1:
            paddings = op.inputs[1].numbers
            outer = paddings and any(paddings[:-2])
            if len(op.outputs[0].shape) == 3 and outer:
                yield op.outputs[0].label


def _large_sums(graph):
    for op in graph.ops:
        if op.name == "SUM" and op.inputs[0].dtype in _FLOATS:
            terms = op.inputs[0].num_elements // max(1, op.outputs[0].num_elements)
            if terms >= _MANY:
                mean = _LARGEST_FLOAT16 / terms
                yield f"{op.outputs[0].label} ({terms} terms: {mean:.3g} on average)"


def _sums_read_again(graph):
    readers, outputs = _readers(graph), {tensor.index for tensor in graph.outputs}
    for op in graph.ops:
        runtime = op.name == "ADD" and not any(t.is_constant for t in op.inputs)
        if runtime and op.outputs[0].index in outputs & readers.keys():
            yield op.outputs[0].label


def _flat_attention(graph):
    readers = _readers(graph)
    for op in graph.ops:
        if op.name == "SOFTMAX" and len(op.outputs[0].shape) == 3:
            after = readers.get(op.outputs[0].index, ())
            if any(reader.name == "BATCH_MATMUL" for reader in after):
                yield op.outputs[0].label


def _mixed_ranks(graph):
    for op in graph.ops:
        ranks = {len(t.shape) for t in op.inputs if not t.is_constant and t.shape}
        if op.name in ("ADD", "MUL") and len(ranks) > 1 and min(ranks) > 1:
            yield op.outputs[0].label


FAULTS: Sequence[Fault] = (
    Fault(
        9272,
        "A PAD with three axes, not of the last one, returns its rows shifted by one.",
        "Give the tensor a fourth axis before the padding, or concatenate zeros.",
        _padded_rows,
    ),
    Fault(
        9249,
        "A SUM is added up in float16: above 65,504 the result is infinite or NaN.",
        "Use a mean, or scale before the sum; or ask the runtime for float32.",
        _large_sums,
    ),
    Fault(
        8599,
        "An ADD of two computed tensors that is an output and is read again returns "
        "one of them, not the sum; states of step signatures are such outputs.",
        "Return a copy that nothing else reads, e.g. the sum times 1.",
        _sums_read_again,
    ),
    Fault(
        8619,
        "Attention with three axes (heads in the batch) was wrong as a whole, with a "
        "correlation of 0.265 to the CPU.",
        "Keep four axes: (batch, heads, length, size).",
        _flat_attention,
    ),
    Fault(
        8980,
        "An ADD or MUL of computed tensors with different numbers of axes lines them "
        "up at the wrong end.",
        "Reshape the one with fewer axes first: `keras.ops.expand_dims`.",
        _mixed_ranks,
    ),
)
