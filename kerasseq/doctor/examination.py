"""Examines a TFLite file in a child process."""

import importlib.metadata
import json
import math
import numbers
import os
import signal
from typing import Any

from kerasseq.doctor import findings
from kerasseq.utils import child_process

TARGETS = ("cpu", "gpu", "int8", "microcontroller")
TIME_LIMIT = 8.0
_CHILD_MODULE = "kerasseq.doctor.child"
_PRELOAD = (_CHILD_MODULE,)  # another file, or part of a bundle, then takes less time
_GIB = 2**30
_MOST_PARTS = 16  # of a container that are examined
_STATUSES = ("healthy", "unhealthy", "unreadable")


def examine(
    path: str | os.PathLike[str],
    target: str = "cpu",
    run: bool = False,
    time_limit: float = TIME_LIMIT,
    memory_limit: float | None = None,
    matrix: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """Says what a TFLite file holds, and what is wrong with it for a target.

    A child process reads and loads the file: what a damaged file does there, crash
    or hang, is a finding.

    Args:
        path: Path of the file.
        target: `"cpu"`, `"gpu"` (a GPU delegate that should take the whole graph),
            `"int8"` (a device that computes in 8-bit integers) or `"microcontroller"`
            (TensorFlow Lite Micro).
        run: Whether to run each signature, for latency and memory.
        time_limit: Seconds after which the child is killed.
        memory_limit: GiB of memory the child may ask for, where the system can limit
            it; by default 4 and four times the size of the file.
        matrix: Path of a snapshot of edge-compat, to hold the file against what was
            measured of a runtime; see `measured`.

    Returns:
        A dict of plain values. Always: `"file"`, `"target"`, `"status"` (`"healthy"`,
        `"unhealthy"`: a finding is an error, or `"unreadable"`) and `"findings"`: a
        list of `{"severity": "error" | "warning" | "note", "what", "where", "do"}`.
        If the file can be read: `"bytes"`, `"description"`, `"schema_version"`,
        `"min_runtime_version"`, `"signatures"` (`{name: {"subgraph", "inputs":
        {name: {"shape", "dtype"}}, "outputs"}}`), `"inputs"` and `"outputs"` of the
        main subgraph, `"subgraphs"`, `"ops"` (`{name: count}`), `"flex_ops"`,
        `"custom_ops"`, `"unknown_ops"`, `"shape_ops"` (that compute shapes),
        `"compiled_for"` (devices), `"tensor_types"`, `"wide_tensors"` (64 bits),
        `"dynamic_inputs"`, `"dynamic_tensors"`, `"empty_tensors"`, `"constants"` (see
        `constants.describe`), `"quantization"` (see `quantization.describe`), `"gpu"`
        (see `gpu_cut.describe` and `known_faults.describe`), `"microcontroller"` (see
        `micro.refused` and `arena.describe`), `"packed_files"` (list of `{"name",
        "bytes"}`), `"missing_files"` and `"packed_files_message"` (see
        `packed.describe`), `"runtime"` (`{"version", "loads", "message"}`) and,
        with `matrix`, `"measured"` (see `measured.describe`), and with `run`, `"run"`
        (`{"latency_ms": {signature: {"one_thread", "all_threads"}}, "threads",
        "peak_memory_mib", "inputs"}`, or `"message"`).
        A size that is not fixed is `None`. Of a bundle of LiteRT-LM or a ZIP archive
        (`.task`) instead `"container"` (what it is), `"parts"` (a list of such results,
        one for each `.tflite` file in it) and `"other_parts"`.

    Raises:
        ValueError: If an argument is wrong. What is wrong with the file never raises.

    Example:

    ```python
    doctor.examine("model.tflite", target="gpu")["status"]  # "unhealthy"
    ```
    """
    path = _text(path)
    _check(target, time_limit, memory_limit)
    matrix = _checked_matrix(matrix)
    memory_limit = memory_limit * _GIB if memory_limit else 4 * (_GIB + _size(path))
    options = {"memory_limit": int(memory_limit), "run": bool(run), "matrix": matrix}
    replies, end = _ask(path, options, time_limit)
    if "container" in replies:
        return _examine_parts(path, target, replies["container"], options, time_limit)
    return _result(path, target, replies, end, run)


def _examine_parts(path, target, container, options, time_limit):
    """The examination of a file that holds others."""
    results, others = [], []
    for index, part in enumerate(container["parts"]):
        if not part["is_model"] or len(results) == _MOST_PARTS:
            others.append({key: part[key] for key in ("name", "kind", "num_bytes")})
            continue
        replies, end = _ask(path, {**options, "part": index}, time_limit)
        name = f"{path}: {part['name']}"
        results.append(_result(name, target, replies, end, options["run"]))
    statuses = [result["status"] for result in results] or ["unreadable"]
    return {
        "file": path,
        "target": target,
        "status": max(statuses, key=_STATUSES.index),
        "findings": [findings.container(container["kind"], len(results), others)],
        "container": container["kind"],
        "parts": results,
        "other_parts": others,
    }


def _result(name, target, replies, end, run):
    result = {"file": name, "target": target, "status": "unreadable"}
    if "described" not in replies:
        reply = replies.get("unreadable", {})
        return {**result, "findings": [findings.unreadable(reply, end)]}
    content = {**replies["described"], "runtime": _runtime(replies, end)}
    if run and content["runtime"]["loads"]:
        content["run"] = replies.get("ran", {"message": end})
    found = findings.collect(content, target)
    ill = any(finding["severity"] == "error" for finding in found)
    status = "unhealthy" if ill else "healthy"
    return {**result, "status": status, "findings": found, **content}


def _checked_matrix(matrix):
    if matrix is None:
        return None
    from kerasseq.doctor import measured  # imports NumPy

    path = os.path.abspath(_text(matrix))
    measured.read(path)
    return path


def _text(path):
    try:
        return os.fsdecode(path)
    except TypeError as error:
        raise ValueError(
            f"`path` must be the path of a file. Received: path={path!r}"
        ) from error


def _check(target, time_limit, memory_limit):
    if target not in TARGETS:
        raise ValueError(f"`target` must be one of {TARGETS}. Received: {target!r}")
    for name, value in (("time_limit", time_limit), ("memory_limit", memory_limit)):
        number = isinstance(value, numbers.Real)
        if value is not None and not (number and 0 < value < math.inf):
            raise ValueError(
                f"`{name}` must be a positive number. Received: {name}={value!r}"
            )


def _size(path):
    return os.path.getsize(path) if os.path.isfile(path) else 0


def _ask(path, options, time_limit):
    """`({stage: reply}, how the child ended)`."""
    arguments = [path, json.dumps(options)]
    result = child_process.run(_CHILD_MODULE, arguments, time_limit, _PRELOAD)
    end = _end(result)
    if result.returncode is None:
        end = f"not finished in {time_limit:g} s (`--time_limit`)"
    replies = {}
    for line in result.stdout.splitlines(keepends=True):
        if line.startswith('{"stage"') and line.endswith("\n"):
            reply = json.loads(line)
            replies[reply.pop("stage")] = reply
    return replies, end


def _end(result):
    if not result.returncode:
        return "ended early"
    tail = ": ".join(result.stderr.strip().splitlines()[-1:])[:500]
    if result.returncode > 0:
        return f"ended with exit status {result.returncode}: {tail}"
    try:
        name = signal.Signals(-result.returncode).name
    except ValueError:
        name = f"signal {-result.returncode}"
    return f"crashed ({name}): {tail}" if tail else f"crashed ({name})"


def _runtime(replies, end):
    loaded = replies.get("loaded", {"message": end})
    return {
        "version": importlib.metadata.version("ai-edge-litert"),
        "loads": "message" not in loaded,
        "message": loaded.get("message"),
    }
