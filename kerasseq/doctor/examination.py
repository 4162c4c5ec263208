"""Examines a TFLite file in a child process."""

import importlib.metadata
import json
import math
import os
import signal
from typing import Any

from kerasseq.doctor import findings
from kerasseq.utils import child_process

TARGETS = ("cpu", "gpu", "int8")
TIME_LIMIT = 8.0
_CHILD_MODULE = "kerasseq.doctor.child"
_GIB = 2**30


def examine(
    path: str | os.PathLike[str],
    target: str = "cpu",
    run: bool = False,
    time_limit: float = TIME_LIMIT,
    memory_limit: float | None = None,
) -> dict[str, Any]:
    """Says what a TFLite file holds, and what is wrong with it for a target.

    A child process reads and loads the file: what a damaged file does there, crash
    or hang, is a finding.

    Args:
        path: Path of the file.
        target: `"cpu"`, `"gpu"` (a GPU delegate that should take the whole graph) or
            `"int8"` (a device that computes in 8-bit integers).
        run: Whether to run each signature, for latency and memory.
        time_limit: Seconds after which the child is killed.
        memory_limit: GiB of memory the child may ask for, where the system can limit
            it; by default 4 and four times the size of the file.

    Returns:
        A dict of plain values. Always: `"file"`, `"target"`, `"status"` (`"healthy"`,
        `"unhealthy"`: a finding is an error, or `"unreadable"`) and `"findings"`: a
        list of `{"severity": "error" | "warning" | "note", "what", "where", "do"}`.
        If the file can be read: `"bytes"`, `"description"`, `"schema_version"`,
        `"min_runtime_version"`, `"signatures"` (`{name: {"subgraph", "inputs":
        {name: {"shape", "dtype"}}, "outputs"}}`), `"inputs"` and `"outputs"` of the
        main subgraph, `"subgraphs"`, `"ops"` (`{name: count}`), `"flex_ops"`,
        `"custom_ops"`, `"unknown_ops"`, `"tensor_types"`, `"wide_tensors"` (64 bits),
        `"dynamic_inputs"`, `"dynamic_tensors"`, `"empty_tensors"`, `"constants"` (see
        `constants.describe`), `"quantization"` (see `quantization.describe`), `"gpu"`
        (see `gpu_cut.describe`), `"packed_files"` (list of `{"name", "bytes"}`),
        `"missing_files"` and `"packed_files_message"` (see `packed.describe`),
        `"runtime"` (`{"version", "loads", "message"}`) and,
        with `run`, `"run"` (`{"latency_ms": {signature: {"one_thread",
        "all_threads"}}, "threads", "peak_memory_mib", "inputs"}`, or `"message"`).
        A size that is not fixed is `None`.

    Raises:
        ValueError: If an argument is wrong. What is wrong with the file never raises.

    Example:

    ```python
    doctor.examine("model.tflite", target="gpu")["status"]  # "unhealthy"
    ```
    """
    path = os.fspath(path)
    _check(target, time_limit, memory_limit)
    memory_limit = memory_limit * _GIB if memory_limit else 4 * (_GIB + _size(path))
    options = {"memory_limit": int(memory_limit), "run": bool(run)}
    replies, end = _ask(path, options, time_limit)
    result = {"file": path, "target": target, "status": "unreadable"}
    if "described" not in replies:
        message = replies.get("unreadable", {}).get("message")
        return {**result, "findings": [findings.unreadable(message, end)]}
    content = {**replies["described"], "runtime": _runtime(replies, end)}
    if run and content["runtime"]["loads"]:
        content["run"] = replies.get("ran", {"message": end})
    found = findings.collect(content, target)
    ill = any(finding["severity"] == "error" for finding in found)
    status = "unhealthy" if ill else "healthy"
    return {**result, "status": status, "findings": found, **content}


def _check(target, time_limit, memory_limit):
    if target not in TARGETS:
        raise ValueError(f"`target` must be one of {TARGETS}. Received: {target!r}")
    for name, value in (("time_limit", time_limit), ("memory_limit", memory_limit)):
        if value is not None and not 0 < value < math.inf:
            raise ValueError(
                f"`{name}` must be a positive number. Received: {name}={value!r}"
            )


def _size(path):
    return os.path.getsize(path) if os.path.isfile(path) else 0


def _ask(path, options, time_limit):
    """`({stage: reply}, how the child ended)`."""
    result = child_process.run(_CHILD_MODULE, [path, json.dumps(options)], time_limit)
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
