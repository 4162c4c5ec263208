"""Files of the two front ends of the export, side by side.

    python -m benchmarks.export_front_ends
    python -m benchmarks.export_front_ends --entries LSTM --entries vit-token

Each entry of the tests' catalogue and each of their fourteen models of stock layers is
exported on TensorFlow (SavedModel, TensorFlow's converter) and on JAX (StableHLO,
LiteRT's converter), each loop as a loop. The two files of an entry run interleaved in
one process with one thread; the results are medians, seconds those of a warm process.
Takes ten minutes on two cores.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from absl import app, flags

from benchmarks import machine
from kerasseq.lite import benchmark
from kerasseq.utils import atomic

ROOT = pathlib.Path(__file__).parents[1]
BACKENDS = ("tensorflow", "jax")
CHILD = """
import sys
from benchmarks import export_front_ends
export_front_ends.export_all(*sys.argv[2:])
"""

_ENTRIES = flags.DEFINE_multi_string("entries", [], "of the catalogue; all by default")
_ROUNDS = flags.DEFINE_integer("rounds", 200, "runs of each file")
_OUTPUT = flags.DEFINE_string(
    "output", "benchmarks/results/export_front_ends.json", "file for the results"
)


def export_all(folder, *wanted):
    """The child: exports the entries on the backend of this process."""
    from kerasseq import export

    for name, make in _models().items():
        if wanted and name not in wanted:
            continue
        model, inputs = make()
        place = pathlib.Path(folder) / name
        start = time.perf_counter()
        try:
            report = _export(export, model, inputs, place)
            result = report["artifacts"][0]
        except Exception as error:  # is a result too
            result = {"failed": f"{type(error).__name__}: {error}"[:300]}
            place.mkdir(exist_ok=True)
        result["seconds"] = time.perf_counter() - start
        np.savez(place / "inputs.npz", **inputs)
        atomic.write_json(place / "result.json", result)


def _models():
    """`{name: function that makes the model and its inputs}`."""
    sys.path.insert(0, str(ROOT / "tests"))
    import catalog
    from export import architectures

    made = {
        entry.id: lambda entry=entry: (entry.model(), entry.inputs())
        for entry in catalog.ENTRIES
        if "P4" not in entry.excused
    }
    for name, build in architectures.ALL.items():

        def stock(build=build):
            model = build()
            return model, architectures.rows(model, 1)

        made[f"stock {name}"] = stock
    return made


def _export(export, model, inputs, place):
    import keras

    specs = {name: (x.shape, x.dtype.name) for name, x in inputs.items()}

    def call(twin, tensors):
        ordered = [tensors[x.name] for x in twin.inputs]
        return twin(keras.tree.pack_sequence_as(twin.input, ordered))

    return export.export_model(
        model,
        place,
        signatures=lambda twin: {
            "serve": (lambda **tensors: {"outputs": call(twin, tensors)}, specs)
        },
        samples={"serve": [inputs]},
        loop_strategy="while",
    )


def compare(folders):
    """A row for each entry, with its latencies measured interleaved."""
    rows = []
    for place in sorted(folders["tensorflow"].iterdir(), key=os.path.getmtime):
        results = {
            name: json.loads((folder / place.name / "result.json").read_text())
            for name, folder in folders.items()
        }
        row = {"entry": place.name}
        for name, result in results.items():
            row[name] = {
                "failed": result.get("failed"),
                "seconds": round(result["seconds"], 2),
                "bytes": result.get("bytes"),
                "ops": sum(result.get("ops", {}).values()),
                "gpu_refused_ops": result.get("gpu_refused_ops"),
                "max_abs_diff": result.get("max_abs_diff"),
            }
        if not any("failed" in result for result in results.values()):
            _measure(row, place.name, folders)
        print(json.dumps(row), flush=True)
        rows.append(row)
    return rows


def _measure(row, entry, folders):
    with np.load(folders["tensorflow"] / entry / "inputs.npz") as arrays:
        samples = {"serve": [dict(arrays)]}
    paths = [folder / entry / "model.tflite" for folder in folders.values()]
    measured = benchmark.interleaved(paths, samples, _ROUNDS.value)
    for name, result in zip(folders, measured, strict=True):
        row[name]["latency_ms"] = result["latency_ms_by_signature"]["serve"]
    for key in ("latency_ms", "bytes"):
        row[f"{key}_ratio"] = round(row["jax"][key] / row["tensorflow"][key], 3)


def main(_):
    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: pathlib.Path(temporary, name) for name in BACKENDS}
        for name, folder in folders.items():
            folder.mkdir()
            subprocess.run(
                [sys.executable, "-c", CHILD, name, folder, *_ENTRIES.value],
                env=os.environ | {"KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": "3"},
                cwd=ROOT,
                check=True,
            )
        rows = compare(folders)
    ratios = {
        key: statistics.geometric_mean(row[key] for row in rows if key in row)
        for key in ("latency_ms_ratio", "bytes_ratio")
    }
    print({key: round(value, 3) for key, value in ratios.items()})
    atomic.write_json(
        _OUTPUT.value, {"machine": machine.description(), "rows": rows, **ratios}
    )


if __name__ == "__main__":
    app.run(main)
