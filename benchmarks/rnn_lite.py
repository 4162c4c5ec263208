"""Which loop strategy makes a recurrent layer fastest in LiteRT?

    python -m benchmarks.rnn_lite
    python -m benchmarks.rnn_lite --cells LSTM --units 64 --time 20

One layer that returns the outputs of all steps, batch size 1, as many features as
units, one thread. Compares the loop strategies of kerasseq with stock Keras, once as a
loop and once with `unroll=True`. The stock layer gets a static signature here, since
Keras' own LiteRT export drops the batch size and needs Flex ops. The files of a row run
interleaved in one process; the results are medians. Takes ten minutes on two cores.
"""

import os
import pathlib
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow reads it

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags, logging

from benchmarks import machine, stock_converter
from kerasseq import export, layers
from kerasseq.lite import benchmark
from kerasseq.utils import atomic

BASELINES = ("fused", "while", "unrolled", "auto", "stock", "stock_unroll")
CELLS = ("LSTM", "GRU", "SimpleRNN")

_CELLS = flags.DEFINE_multi_enum("cells", CELLS, CELLS, "layers")
_UNITS = flags.DEFINE_multi_integer("units", [64, 128, 256], "units and features")
_TIME = flags.DEFINE_integer("time", 50, "time steps")
_ROUNDS = flags.DEFINE_integer("rounds", 200, "runs of each file")
_OUTPUT = flags.DEFINE_string(
    "output", "benchmarks/results/rnn_lite.json", "file for the results"
)


def build(layer_class, units, time, **options):
    """A model of one layer."""
    keras.utils.set_random_seed(0)
    x = keras.Input((time, units), name="x")
    y = layer_class(units, return_sequences=True, **options)(x)
    return keras.Model(x, y)


def our_file(cell, units, time, loop_strategy, folder):
    """Exports with kerasseq; returns the path and the loop strategy used."""
    model = build(getattr(layers, cell), units, time)
    report = export.export_model(model, folder, loop_strategy=loop_strategy)
    return folder / "model.tflite", report["artifacts"][0]["lowering"]


def stock_file(cell, units, time, folder, **options):
    """Converts the layer of stock Keras to builtin ops, with a static signature."""
    model = build(getattr(keras.layers, cell), units, time, **options)
    specs = {"x": ((1, time, units), "float32")}
    signatures = {"serve": (lambda x: model(x, training=False), specs)}
    return stock_converter.convert([model], signatures, folder)


def measure_row(cell, units, time, num_rounds):
    """Exports and measures all files of one cell and size."""
    with tempfile.TemporaryDirectory() as name:
        folder, paths, chosen = pathlib.Path(name), {}, None
        for loop_strategy in BASELINES[:4] if cell == "LSTM" else BASELINES[1:4]:
            paths[loop_strategy], chosen = our_file(
                cell, units, time, loop_strategy, folder / loop_strategy
            )
        paths["stock"] = stock_file(cell, units, time, folder / "s")
        paths["stock_unroll"] = stock_file(cell, units, time, folder / "u", unroll=True)
        x = np.random.default_rng(0).normal(size=(1, time, units))
        samples = {"serve": [{"x": x.astype("float32")}]}
        results = benchmark.interleaved(list(paths.values()), samples, num_rounds)
        baselines = {
            baseline: {
                "latency_ms": result["latency_ms_by_signature"]["serve"],
                "bytes": path.stat().st_size,
            }
            for (baseline, path), result in zip(paths.items(), results, strict=True)
        }
    others = [
        baseline["latency_ms"] for name, baseline in baselines.items() if name != "auto"
    ]
    return {
        "cell": cell,
        "units": units,
        "baselines": baselines,
        "auto_took": chosen,
        "auto_to_best": baselines["auto"]["latency_ms"] / min(others),
        "auto_to_stock_bytes": baselines["auto"]["bytes"] / baselines["stock"]["bytes"],
    }


def print_row(row):
    """Prints a row: latency and size of each baseline, and the two ratios."""
    cells = [
        f"{baseline['latency_ms']:.3f} ({baseline['bytes'] / 1e3:.0f})"
        if baseline
        else "-"
        for baseline in map(row["baselines"].get, BASELINES)
    ]
    ratios = [f"{row[key]:.2f}" for key in ("auto_to_best", "auto_to_stock_bytes")]
    columns = [f"{row['cell']} {row['units']}", *cells, row["auto_took"], *ratios]
    print(f"| {' | '.join(columns)} |", flush=True)


def main(_):
    logging.set_verbosity(logging.WARNING)
    tf.get_logger().setLevel("WARNING")
    facts = machine.description()
    print(f"{machine.summary(facts)}; one thread, ms (kB)")
    header = ["row", *BASELINES, "auto took", "auto / best", "auto / stock bytes"]
    print(f"| {' | '.join(header)} |\n|{' --- |' * len(header)}")
    rows = []
    for cell in _CELLS.value:
        for units in _UNITS.value:
            rows.append(measure_row(cell, units, _TIME.value, _ROUNDS.value))
            print_row(rows[-1])
    settings = {"time": _TIME.value, "rounds": _ROUNDS.value, "batch_size": 1}
    output = pathlib.Path(_OUTPUT.value)
    output.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_json(output, {"machine": facts, "settings": settings, "rows": rows})


if __name__ == "__main__":
    app.run(main)
