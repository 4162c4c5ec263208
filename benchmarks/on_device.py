"""How fast do exported files run, beside the files of others of the same weights?

    python -m benchmarks.on_device
    python -m benchmarks.on_device --litert_torch_python A/bin/python \\
        --onnx_python B/bin/python
    python -m benchmarks.on_device --rows tagger_64,vit_28 --rounds 3

`kerasseq` is `model.tflite` as `loop_strategy="auto"` makes it, `dynamic` the same with
int8 weights; `fused`, `while` and `unrolled` are the loop strategies. The baselines
have the same weights. `stock` (and `stock_unroll`) is the converter of stock Keras with
static signatures, on stock recurrent layers, or, for images, on our model, whose layers
become the same ops. `litert_torch` and `onnx` (and `onnx_dynamo`, of the newer of two
exporters) are a model of PyTorch's own layers, as a file of litert-torch and as files
for ONNX Runtime's CPU provider; they are left out unless an environment is given:

    python3.11 -m venv A && A/bin/pip install litert-torch
    python3.11 -m venv B && B/bin/pip install torch==2.13.0 onnxruntime onnx onnxscript

The outputs of every file in float are compared with those of Keras; a difference is an
error. The translator has three rows: `encode`, one `step`, and `greedy`, a whole
translation of as many steps as it may have, which is one call of our file, and of the
others' a loop in Python over both. Sentences have full length: the baselines' files
know no padding.

Batch size 1, each file in a process of its own, interleaved
(`benchmarks/interleaved.py`), with XNNPACK and for some without, on one thread and on
two; the results are medians of whole calls from Python. Takes 20 minutes on two cores,
which must be idle otherwise. Then `python -m benchmarks.on_device_tables` writes the
tables of docs/performance.md.
"""

import os
import pathlib
import shutil
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow reads it

import numpy as np
from absl import flags as absl_flags

from benchmarks import interleaved, machine, on_device_tables
from kerasseq.utils import atomic
from recipes.shared import command_line

ROWS = ("translator", "tagger_64", "tagger_128", "unet_64", "unet_96")
ROWS += ("vit_28", "vit_96")
TINY = ("translator_tiny", "tagger_tiny", "unet_tiny", "vit_tiny")  # for tests
PEERS = {  # name: flag
    "litert_torch": "litert_torch_python",
    "onnx": "onnx_python",
    "onnx_dynamo": "onnx_python",
}
WITHOUT_XNNPACK = ("kerasseq", "dynamic", "stock", "litert_torch")
TOLERANCE = 1e-4
WORKER = "benchmarks.on_device_worker"


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    text = f"Comma-separated, of: {', '.join(ROWS)}."
    _define_list(flags, "rows", ROWS, text, {*ROWS, *TINY})
    text = "Numbers of threads, 1 to 256, comma-separated."
    _define_list(flags, "threads", ("1", "2"), text, {str(x) for x in range(1, 257)})
    define("integer", "rounds", 7, "Number of rounds.", lower_bound=1)
    define("float", "seconds", 0.2, "Seconds per file in each round.")
    for flag in dict.fromkeys(PEERS.values()):
        text = f"Python of an environment with {flag.removesuffix('_python')}."
        define("string", flag, None, text)
    define("string", "output", "benchmarks/results/on_device.json", "For the results.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def _define_list(flags, name, default, text, known):
    """A flag of one or more of the known values."""
    command_line.definer(flags)("list", name, list(default), text)
    absl_flags.register_validator(
        name, lambda given: given and known.issuperset(given), text, flag_values=flags
    )


def main(flags):
    """Measures all rows, prints tables and writes the results."""
    from benchmarks import on_device_files

    pythons = _pythons(flags)
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    facts = machine.description()
    print(machine.summary(facts), flush=True)
    versions = {x: on_device_files.versions(python) for x, python in pythons.items()}
    settings = _settings(flags) | {"packages_of_baselines": versions}
    report = {"machine": facts, "settings": settings, "rows": []}
    for row in flags.rows:
        with tempfile.TemporaryDirectory() as folder:
            report["rows"] += measure_row(flags, row, pythons, pathlib.Path(folder))
        atomic.write_json(output, report)  # an interrupted run has results
    print(f"\n{on_device_tables.tables(report)}\n\nWritten to {output}")


def _settings(flags):
    names = ("threads", "rounds", "seconds")
    return {name: getattr(flags, name) for name in names} | {"batch_size": 1}


def _pythons(flags):
    """Paths of the environments that are given, by the peers that they have."""
    found = {}
    for name, flag in PEERS.items():
        path = getattr(flags, flag)
        if path is None:
            print(f"Without {name}, which needs --{flag}.")
            continue
        found[name] = shutil.which(path)
        if found[name] is None:
            raise ValueError(f"--{flag} must be a Python. Received: --{flag}={path}")
        found[name] = os.path.abspath(found[name])
    return found


def measure_row(flags, row, pythons, folder):
    """Writes all files of a model and measures each of its signatures."""
    from benchmarks import on_device_files, on_device_models

    case = on_device_models.make(row)
    files, chosen = on_device_files.ours(case, folder)
    files |= on_device_files.stock(case, folder)
    for name, python in pythons.items():
        files[name] = on_device_files.peer(case, name, python, folder)
    facts = {
        "auto_took": chosen,
        "parameter_bytes": 4 * case.model.count_params(),
        "files": on_device_files.sizes(files),
    }
    rows = []
    for signature in case.inputs:
        name = row if len(case.inputs) == 1 else f"{row}, {signature}"
        arrays = folder / f"{signature}.npz"
        np.savez(arrays, **sample(case, signature))
        results = {
            count: _measure(flags, files, signature, int(count), arrays, pythons)
            for count in flags.threads
        }
        ratios = {count: on_device_tables.ratios(x) for count, x in results.items()}
        rows.append({"name": name, "results": results, "ratios": ratios} | facts)
        print(on_device_tables.line(rows[-1]), flush=True)
    return rows


def sample(case, signature):
    """What a worker runs a signature on, and what Keras computes of it, by name."""
    sides = {"inputs": case.inputs, "expected": case.expected}
    return {
        f"{side}/{key}": array
        for side, arrays in sides.items()
        for key, array in arrays[signature].items()
    }


def _measure(flags, files, signature, num_threads, arrays, pythons):
    """Medians of all files, with and without XNNPACK; raises if one has none."""
    same, workers = _equal_files(files), {}
    for name in dict.fromkeys(same.values()):
        settings = {
            "path": str(files[name]),
            "signature": signature,
            "num_threads": num_threads,
            "arrays": str(arrays),
            "tolerance": None if name == "dynamic" else TOLERANCE,
        }
        python = pythons[name] if name.startswith("onnx") else sys.executable
        names = {name: True}
        if name in WITHOUT_XNNPACK:
            names[name + on_device_tables.NO_XNNPACK] = False
        for key, xnnpack in names.items():
            workers[key] = interleaved.Worker(
                WORKER, settings | {"xnnpack": xnnpack}, python=python
            )
    results = interleaved.measure(workers, flags.rounds, flags.seconds)
    for name, result in results.items():
        if "error" in result:
            raise RuntimeError(f"{name}, {signature}: {result['error']}")
    keys = ("median_ms", "quartiles_ms", "max_abs_diff", "busy_cores")
    medians = {name: {key: x[key] for key in keys} for name, x in results.items()}
    return {name: medians[first] for name, first in same.items()} | medians


def _equal_files(files):
    """For each name the first one of a file with the same bytes.

    `auto` makes the file of a loop strategy again: measured twice, one of the two would
    be the faster by chance.
    """
    seen = {}
    return {
        name: seen.setdefault(path.read_bytes() if path.is_file() else name, name)
        for name, path in files.items()
    }


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
