"""Latency and memory of a TFLite file, measured in a process without TensorFlow.

`python -m kerasseq.export.measure model.tflite samples.npz` is the child process.
"""

import json
import pathlib
import resource
import sys
import time

import numpy as np

from kerasseq import lite
from kerasseq.export import child

_MAX_SAMPLES = 8
_SECONDS = 1.0  # aim of the time spent on one signature
_PROC = pathlib.Path("/proc/self")


def measure(tflite_path, samples):
    """Measures a file in a child process with one thread.

    Args:
        tflite_path: Path of the `.tflite` file.
        samples: `{signature name: [{input name: array}]}`, for every signature.

    Returns:
        `{"latency_ms_by_signature": {name: median}, "peak_memory_mib": float}`; the
        memory is what the process grew by, at its peak, from before it loaded the
        file.

    Raises:
        RuntimeError: If the child fails; holds the end of its standard error.
    """
    arrays = {
        f"{name}/{index}/{key}": value
        for name, cases in samples.items()
        for index, case in enumerate(cases[:_MAX_SAMPLES])
        for key, value in case.items()
    }
    samples_path = pathlib.Path(tflite_path).with_suffix(".npz")
    np.savez(samples_path, **arrays)
    result = child.run("kerasseq.export.measure", [tflite_path, samples_path])
    child.check(result, "The measurement of the TFLite file")
    return json.loads(result.stdout.strip().splitlines()[-1])


def main(tflite_path, samples_path):
    """The child: measures and prints one line of JSON.

    Args:
        tflite_path: Path of the `.tflite` file.
        samples_path: Path of the `.npz` file that `measure` wrote.
    """
    samples = _read_samples(samples_path)
    before = _start_peak_mib()
    runner = lite.Runner(tflite_path, num_threads=1)
    latencies = {name: _latency(runner, name, s) for name, s in samples.items()}
    print(
        json.dumps(
            {
                "latency_ms_by_signature": latencies,
                "peak_memory_mib": max(0.0, _peak_mib() - before),
            }
        )
    )


def _latency(runner, name, cases):
    runner.run(name, **cases[0])
    start = time.perf_counter()
    runner.run(name, **cases[0])
    seconds = (time.perf_counter() - start) * len(cases)
    repeats = int(min(max(_SECONDS / max(seconds, 1e-6), 3), 30))
    return runner.benchmark(name, cases, repeats)


def _read_samples(path):
    samples = {}
    with np.load(path) as arrays:
        for entry in arrays.files:
            name, index, key = entry.split("/", 2)
            samples.setdefault(name, {}).setdefault(index, {})[key] = arrays[entry]
    return {name: list(cases.values()) for name, cases in samples.items()}


def _start_peak_mib():
    """Resets the peak where the system can, and returns the memory in use now."""
    try:
        (_PROC / "clear_refs").write_text("5")
    except OSError:
        pass
    return _status_mib("VmRSS:") or _peak_mib()


def _peak_mib():
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
