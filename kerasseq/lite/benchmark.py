"""Latency and memory of a TFLite file, measured in a process without TensorFlow.

`python -m kerasseq.lite.benchmark samples.npz 0 model.tflite ...` is the child process.
"""

import json
import pathlib
import resource
import statistics
import sys
import time

from kerasseq.lite import _runner, sample_files
from kerasseq.utils import child_process

_MAX_SAMPLES = 8
_SECONDS = 0.5  # aim of the time spent on one signature of one file
_MIN_ROUNDS, _MAX_ROUNDS = 3, 100
_PROC = pathlib.Path("/proc/self")


def measure(tflite_path, samples, time_limit=None):
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


def interleaved(tflite_paths, samples, num_rounds=0, time_limit=None):
    """Measures files in one child process with one thread, run by run in turns.

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
    cases = {name: cases[:_MAX_SAMPLES] for name, cases in samples.items()}
    samples_path = pathlib.Path(tflite_paths[0]).with_suffix(".npz")
    sample_files.write(samples_path, cases)
    arguments = [samples_path, num_rounds, *tflite_paths]
    result = child_process.run("kerasseq.lite.benchmark", arguments, time_limit)
    child_process.check(result, "The measurement of the TFLite file")
    return json.loads(result.stdout.strip().splitlines()[-1])


def main(samples_path, num_rounds, *tflite_paths):
    """The child: measures and prints one line of JSON.

    Args:
        samples_path: Path of the `.npz` file that `interleaved` wrote.
        num_rounds: As for `interleaved`, as text.
        *tflite_paths: Paths of the `.tflite` files.
    """
    samples = sample_files.read(samples_path)
    before = start_peak_mib()
    results, runners = [], []
    for path in tflite_paths:
        runners.append(_runner.Runner(path, num_threads=1))
        for name, cases in samples.items():
            runners[-1].run(name, **cases[0])
        results.append({"peak_memory_mib": max(0.0, peak_mib() - before)})
        results[-1]["latency_ms_by_signature"] = {}
    for name, cases in samples.items():
        medians = latencies(runners, name, cases, int(num_rounds))
        for result, latency in zip(results, medians, strict=True):
            result["latency_ms_by_signature"][name] = latency
    print(json.dumps(results))


def latencies(runners, name, cases, num_rounds):
    """Runs several runners in turns.

    Args:
        runners: Objects with a method `run(name, **inputs)`.
        name: What they are to run.
        cases: List of dicts of inputs.
        num_rounds: How often each runs all cases; 0 for what half a second allows.

    Returns:
        A list with the median latency of each runner, in milliseconds.
    """

    def turn():
        for runner, taken in zip(runners, times, strict=True):
            taken += [_seconds(runner, name, case) for case in cases]

    times = [[] for _ in runners]
    start = time.perf_counter()
    turn()
    if not num_rounds:
        num_rounds = _SECONDS * len(runners) / (time.perf_counter() - start)
        num_rounds = int(min(max(num_rounds, _MIN_ROUNDS), _MAX_ROUNDS))
    for _ in range(num_rounds - 1):
        turn()
    return [statistics.median(taken) * 1e3 for taken in times]


def _seconds(runner, name, case):
    start = time.perf_counter()
    runner.run(name, **case)
    return time.perf_counter() - start


def start_peak_mib():
    """Resets the peak where the system can, and returns the memory in use now."""
    try:
        (_PROC / "clear_refs").write_text("5")
    except OSError:
        pass
    return _status_mib("VmRSS:") or peak_mib()


def peak_mib():
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
