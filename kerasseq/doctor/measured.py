"""What others have measured of a runtime, op by op, held against a TFLite file.

The measurements are snapshots of edge-compat, one JSON file for each backend and
version, which its source distribution holds in `data/matrix`.
"""

import collections
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from kerasseq.doctor import gpu_cut
from kerasseq.doctor import graphs as graphs_lib

_MOST_BYTES = 2**25
_WRONG_FORM = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_FIELDS = {"backend": str, "litert_version": str, "generated_at": str, "entries": list}
_STATUSES = ("delegated", "partial", "fallback", "incorrect", "crash", "unknown")
_TAKEN = ("delegated", "partial", "incorrect")  # the runtime runs it, maybe wrongly


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads a snapshot.

    Args:
        path: Path of the JSON file.

    Returns:
        Its content.

    Raises:
        ValueError: If it is no such file.
    """
    try:
        with open(path, "rb") as file:
            matrix = json.loads(file.read(_MOST_BYTES))
        wrong = [k for k, kind in _FIELDS.items() if not isinstance(matrix[k], kind)]
        wrong += [entry for entry in matrix["entries"] if not _is_entry(entry)]
    except (OSError, *_WRONG_FORM) as error:
        raise ValueError(
            "`matrix` must be a snapshot of edge-compat, a JSON file with the fields "
            f"{list(_FIELDS)}. Received: {os.fspath(path)!r} ({error!r})"
        ) from error
    if wrong or not matrix["entries"]:
        raise ValueError(
            "The snapshot of edge-compat holds no measurements, or others than "
            f"{_STATUSES} of ops. Received: {os.fspath(path)!r} with {wrong[:1]}"
        )
    return matrix


def _is_entry(entry):
    limits = entry.get("constraints") or {}
    return (
        isinstance(entry["op"], str)
        and entry["status"] in _STATUSES
        and all(isinstance(name, str) for name in entry.get("dtypes") or [])
        and all(isinstance(limits.get(x, 0), int) for x in ("min_rank", "max_rank"))
    )


def describe(
    graphs: Sequence[graphs_lib.Graph], matrix: Mapping[str, Any]
) -> dict[str, Any]:
    """Looks up the ops of a file.

    Args:
        graphs: List of `graphs.Graph`.
        matrix: From `read`.

    Returns:
        A dict: `"backend"`, `"version"`, `"date"`, `"ops"` (`{op name: {status:
        count}}`, a status being `"delegated"`, `"partial"`, `"fallback"`,
        `"incorrect"`, `"crash"` or, where nothing was measured, `"unknown"`),
        `"conditions"` (`{op name: what was seen}` of those that are not delegated) and
        `"disagreements"` (`{op name: {"list", "measured"}}`, where the list of
        `lite.gpu_rules` says otherwise).
    """
    ops: dict[str, collections.Counter] = {}
    conditions, disagreements = {}, {}
    for op in (op for graph in graphs for op in graph.ops):
        entry = _lookup(op, matrix["entries"])
        status = entry["status"]
        ops.setdefault(op.name, collections.Counter())[status] += 1
        if status not in ("delegated", "unknown"):
            conditions[op.name] = str(entry.get("conditions", ""))[:500]
        taken = gpu_cut.reason(op) is None or op.unpacks_weights
        if status != "unknown" and taken != (status in _TAKEN):
            word = "takes it" if taken else "leaves it to the CPU"
            disagreements[op.name] = {"list": word, "measured": status}
    return {
        "backend": matrix["backend"],
        "version": matrix["litert_version"],
        "date": matrix["generated_at"],
        "ops": {name: dict(counts) for name, counts in sorted(ops.items())},
        "conditions": conditions,
        "disagreements": disagreements if "gpu" in matrix["backend"] else {},
    }


def _lookup(op, entries):
    """The entry that says most about an op: of its type and shape, of either, of it."""
    facts = _facts(op)
    found = [e for e in entries if e["op"] == op.name and _fits(e, facts)]
    return max(found, key=_specificity, default={"status": "unknown"})


def _facts(op):
    ranks = [len(tensor.shape) for tensor in op.outputs]
    kinds = ("constant" if t.is_constant else "activation" for t in op.inputs)
    return {
        "types": {tensor.dtype.lower() for tensor in op.outputs},
        "rank": max(ranks, default=0),
        "dynamic_shape": any(None in tensor.shape for tensor in op.outputs),
        **{
            f"operand_{letter}": kind
            for letter, kind in zip("abcd", kinds, strict=False)
        },
    }


def _fits(entry, facts):
    types = entry.get("dtypes") or facts["types"]
    if not facts["types"] <= set(types):
        return False
    for name, value in (entry.get("constraints") or {}).items():
        if name == "min_rank" and facts["rank"] >= value:
            continue
        if name == "max_rank" and facts["rank"] <= value:
            continue
        if facts.get(name) != value:  # also of what is not known here
            return False
    return True


def _specificity(entry):
    return 2 * bool(entry.get("dtypes")) + bool(entry.get("constraints"))
