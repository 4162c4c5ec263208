"""The child process of an examination: `python -m kerasseq.doctor.child file options`.

It prints one line of JSON after each stage, so that the parent knows how far it came.
"""

import contextlib
import dataclasses
import json
import os
import resource
import sys
import time
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert

from kerasseq.doctor import containers, description, graphs, measured, packed
from kerasseq.lite import _file_bytes, _kinds, benchmark, flatbuffer

_LONGEST = 1000  # characters of a message
_SLOW = 0.3  # seconds of a run after which it is repeated only once


class LoadedFile:
    """A file in the interpreter, with or without signatures.

    Args:
        content: The bytes of the file.
        num_threads: Number of CPU threads.

    Raises:
        RuntimeError, ValueError: If the runtime does not load the file.
    """

    def __init__(self, content: bytes, num_threads: int) -> None:
        self._interpreter = litert.Interpreter(
            model_content=content, num_threads=num_threads
        )
        self._interpreter.allocate_tensors()
        names = list(self._interpreter.get_signature_list())
        self._runners = {n: self._interpreter.get_signature_runner(n) for n in names}
        for runner in self._runners.values():
            # Publicly only a run does it, which may take as long as it wants.
            wrapper = self._interpreter._interpreter
            wrapper.AllocateTensors(runner._subgraph_index)

    def samples(self) -> dict[str, dict[str, np.ndarray]]:
        """`{signature: {input: array}}`: random floats, zeros for the rest."""
        if not self._runners:
            details = {
                str(d["index"]): d for d in self._interpreter.get_input_details()
            }
            return {description.MAIN: _sample(details)}
        return {n: _sample(r.get_input_details()) for n, r in self._runners.items()}

    def run(self, name: str, /, **inputs: Any) -> None:
        """Runs a signature, as `lite.Runner.run`; a name may be anything here."""
        if self._runners:
            self._runners[name](**inputs)
            return
        for index, array in inputs.items():
            self._interpreter.set_tensor(int(index), array)
        self._interpreter.invoke()


def main(path: str, options: str) -> None:
    """Examines a file.

    Args:
        path: Path of the file.
        options: JSON of a dict with `"memory_limit"` (bytes), `"run"`, maybe
            `"matrix"` (a path) and, for a part of a container, `"part"`: its place.
    """
    settings = json.loads(options)
    _limit_memory(settings["memory_limit"])
    try:
        part = settings.get("part")
        if part is None and _is_container(path):
            return _tell("container", _container(path))
        content = _content(path, part)
        model = flatbuffer.parse(content, f"path={path!r}")
    except ValueError as error:
        return _tell("unreadable", {"message": str(error)[:_LONGEST], **_remedy(path)})
    try:
        described = description.describe(model, len(content))
        described |= packed.describe(model, content, path)
        if settings.get("matrix"):
            measurements = measured.read(settings["matrix"])
            described["measured"] = measured.describe(
                graphs.of_model(model), measurements
            )
    except Exception as error:  # what a damaged file says can contradict itself
        message = f"The parts of the file do not fit together ({_line(error)})."
        return _tell("unreadable", {"message": message})
    _tell("described", described)
    memory_before = benchmark.start_peak_mib()
    loaded = _stage("loaded", lambda: (LoadedFile(content, 1), {}))
    if loaded and settings["run"]:
        _stage("ran", lambda: (None, _run(content, loaded, memory_before)))


def _is_container(path):
    with contextlib.suppress(OSError):  # `_file_bytes` says what is wrong
        return os.path.isfile(path) and containers.kind(path) is not None
    return False


def _container(path):
    parts = [dataclasses.asdict(part) for part in containers.parts(path)]
    return {"kind": containers.kind(path), "parts": parts}


def _content(path, part):
    if part is None:
        return _file_bytes.read(path)
    return containers.read(path, part)


def _remedy(path):
    """What to do with a file that is known to be of another kind."""
    if _is_container(path):
        return {"do": "Fetch it again, and compare its size and checksum."}
    with contextlib.suppress(OSError), open(path, "rb") as file:
        kind = _kinds.of(file.read(_kinds.HEAD))
        return {"do": f"{kind.do[0].upper()}{kind.do[1:]}."} if kind else {}
    return {}


def _stage(name, work):
    """Does a piece of work and tells what came of it, `message` if it failed."""
    try:
        result, content = work()
    except Exception as error:  # a damaged file can break anything in the runtime
        return _tell(name, {"message": _line(error)})
    _tell(name, content)
    return result


def _run(content, loaded, memory_before):
    samples = loaded.samples()
    num_rounds = {}
    for name, inputs in samples.items():
        start = time.perf_counter()
        loaded.run(name, **inputs)
        num_rounds[name] = 1 if time.perf_counter() - start > _SLOW else 0
    memory = max(0.0, benchmark.peak_mib() - memory_before)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    threads = threads or os.cpu_count() or 1
    files = [loaded, LoadedFile(content, threads)]
    latencies = {}
    for name, inputs in samples.items():
        times = benchmark.latencies(files, name, [inputs], num_rounds[name])
        latencies[name] = dict(zip(("one_thread", "all_threads"), times, strict=True))
    return {
        "latency_ms": latencies,
        "threads": threads,
        "peak_memory_mib": memory,
        "inputs": "random floats, zeros for the rest; sizes not fixed are 1",
    }


def _sample(details):
    generator = np.random.default_rng(0)
    return {key: _array(detail, generator) for key, detail in details.items()}


def _array(detail, generator):
    shape, dtype = tuple(detail["shape"]), np.dtype(detail["dtype"])
    if np.issubdtype(dtype, np.floating):
        return np.asarray(generator.normal(size=shape), dtype)
    return np.zeros(shape, dtype)


def _limit_memory(num_bytes):
    for kind, limit in (
        (resource.RLIMIT_AS, num_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(kind, (limit, resource.getrlimit(kind)[1]))
        except (OSError, ValueError):  # not on this system, or above its own limit
            pass


def _line(error):
    return f"{type(error).__name__}: {error}"[:_LONGEST].rstrip()


def _tell(stage, content):
    print(json.dumps({"stage": stage, **content}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
