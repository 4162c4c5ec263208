"""Latency and memory of a TFLite file, measured in a process without TensorFlow.

`python -m kerasseq.lite.benchmark samples.npz 0 0.5 model.tflite ...` is the child.
"""

import json
import os
import pathlib
import resource
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasseq.lite import _runner, sample_files
from kerasseq.utils import child_process

_MAX_SAMPLES = 8
SECONDS = 0.5  # aim of the time spent on one signature of one file
_MIN_ROUNDS, _MAX_ROUNDS = 3, 100
_PROC = pathlib.Path("/proc/self")

Path = str | os.PathLike[str]


def measure(
    tflite_path: Path, samples: sample_files.Samples, time_limit: float | None = None
) -> dict[str, Any]:
    """Measures a file in a child process with one thread.

    Args:
        tflite_path: Path of the `.tflite` file.
        samples: `{signature name: [{input name: array}]}`, for every signature.
        time_limit: Seconds that the child may take; `None` for any.

    Returns:
        `{"latency_ms_by_signature": {name: median}, "peak_memory_mib": float}`; the
        memory is what the process grew by, at its peak, from before it loaded the
        file.

    Raises:
        RuntimeError: If the child fails; holds the end of its standard error.
    """
    return interleaved([tflite_path], samples, time_limit=time_limit)[0]


def interleaved(
    tflite_paths: Sequence[Path],
    samples: sample_files.Samples,
    num_rounds: int = 0,
    time_limit: float | None = None,
) -> list[dict[str, Any]]:
    """Measures files in one child process with one thread, interleaved run by run.

    What else the machine does then slows all of them alike.

    Args:
        tflite_paths: Paths of `.tflite` files with the same signatures.
        samples: `{signature name: [{input name: array}]}`, for every signature.
        num_rounds: How often each file runs all samples; 0 for what half a second
            allows.
        time_limit: Seconds that the child may take; `None` for any.

    Returns:
        A list of dicts as from `measure`; memory counts the files before it too.

    Raises:
        RuntimeError: If the child fails; holds the end of its standard error.
    """
    few = {name: rows[:_MAX_SAMPLES] for name, rows in samples.items()}
    samples_path = pathlib.Path(tflite_paths[0]).with_suffix(".npz")
    sample_files.write(samples_path, few)
    arguments = [samples_path, num_rounds, SECONDS, *tflite_paths]
    result = child_process.run("kerasseq.lite.benchmark", arguments, time_limit)
    child_process.check(result, "The measurement of the TFLite file")
    return json.loads(result.stdout.strip().splitlines()[-1])


def main(
    samples_path: Path, num_rounds: str, seconds: str, *tflite_paths: Path
) -> None:
    """The child: measures and prints one line of JSON.

    Args:
        samples_path: Path of the `.npz` file that `interleaved` wrote.
        num_rounds: As for `interleaved`, as text.
        seconds: What the aim is if that is 0, as text.
        *tflite_paths: Paths of the `.tflite` files.
    """
    samples = sample_files.read(samples_path)
    before = start_peak_mib()
    results: list[dict[str, Any]] = []
    runners: list[_runner.Runner] = []
    for path in tflite_paths:
        runners.append(_runner.Runner(path, num_threads=1))
        for name, rows in samples.items():
            runners[-1].run(name, **rows[0])
        results.append({"peak_memory_mib": max(0.0, peak_mib() - before)})
        results[-1]["latency_ms_by_signature"] = {}
    for name, rows in samples.items():
        medians = latencies(runners, name, rows, int(num_rounds), float(seconds))
        for result, latency in zip(results, medians, strict=True):
            result["latency_ms_by_signature"][name] = latency
    print(json.dumps(results))


def latencies(
    runners: Sequence[Any],
    name: str,
    samples: Sequence[Mapping[str, np.ndarray]],
    num_rounds: int,
    seconds: float = SECONDS,
) -> list[float]:
    """Measures several runners, interleaved run by run.

    Args:
        runners: Objects with a method `run(name, **inputs)`.
        name: What they are to run.
        samples: List of dicts of inputs.
        num_rounds: How often each runs all samples; 0 for what `seconds` allow.
        seconds: Aim of the time that each runner takes.

    Returns:
        A list with the median latency of each runner, in milliseconds.
    """

    def run_round():
        for runner, taken in zip(runners, times, strict=True):
            taken += [_seconds(runner, name, sample) for sample in samples]

    times: list[list[float]] = [[] for _ in runners]
    start = time.perf_counter()
    run_round()
    if not num_rounds:
        rounds = seconds * len(runners) / (time.perf_counter() - start)
        num_rounds = int(min(max(rounds, _MIN_ROUNDS), _MAX_ROUNDS))
    for _ in range(num_rounds - 1):
        run_round()
    return [statistics.median(taken) * 1e3 for taken in times]


def _seconds(runner, name, sample):
    start = time.perf_counter()
    runner.run(name, **sample)
    return time.perf_counter() - start


def start_peak_mib() -> float:
    """Resets the peak where the system can, and returns the memory in use now."""
    try:
        (_PROC / "clear_refs").write_text("5")
    except OSError:
        pass
    return _status_mib("VmRSS:") or peak_mib()


def peak_mib() -> float:
    """The largest memory in use at once since `start_peak_mib`, in MiB."""
    # The peak of getrusage would include the parent's memory: it survives an exec.
    peak = _status_mib("VmHWM:")
    if peak is not None:
        return peak
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _status_mib(key):
    try:
        lines = (_PROC / "status").read_text().splitlines()
    except OSError:
        return None
    values = [int(line.split()[1]) for line in lines if line.startswith(key)]
    return values[0] / 1024 if values else None


if __name__ == "__main__":
    main(*sys.argv[1:])
