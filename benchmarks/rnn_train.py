"""How long does a training step of a recurrent network take?

    python -m benchmarks.rnn_train
    python -m benchmarks.rnn_train --cells LSTM,GRU --rows stacked --rounds 3
    python -m benchmarks.rnn_train --fit_epochs 4

Compares seven baselines, interleaved in one run: kerasseq on TensorFlow under XLA,
stock Keras on TensorFlow with and without XLA (the better one counts), stock Keras and
kerasseq on JAX, PyTorch's fused layers in eager mode, and the matrix products of the
step alone in NumPy's OpenBLAS, which nothing can be faster than. A step is described in
`benchmarks/rnn_train_baseline.py`, the rounds in `benchmarks/interleaved.py`. Every row
has fresh processes, so that its memory and compile time are its own. With
`--fit_epochs` the steps are those of a whole `fit`, what it does beside them included.
The processes of kerasseq keep freed memory, as its recipes do (`--keep_memory`).
Ratios above 1 mean that kerasseq is faster. Takes 25 minutes on two cores, which must
be idle otherwise: other load slows PyTorch most, whose threads wait by spinning.
"""

import functools
import sys

from benchmarks import interleaved, training_baselines
from recipes.shared import command_line

CELLS = ("LSTM", "GRU", "SimpleRNN", "BiLSTM")
ROWS = {  # (batch, time, features, units), layers
    "stacked": ((32, 64, 128, 256), 2),
    "wide": ((64, 128, 256, 512), 1),
    "long": ((16, 1024, 64, 64), 1),
    "tiny": ((2, 5, 3, 4), 1),  # for tests
}
BASELINES = {  # backend, library, jit_compile
    "kerasseq": ("tensorflow", "kerasseq", True),
    "keras_jit": ("tensorflow", "keras", True),
    "keras": ("tensorflow", "keras", False),
    "keras_jax": ("jax", "keras", True),
    "kerasseq_jax": ("jax", "kerasseq", True),
    "torch": (None, "torch", None),
    training_baselines.FLOOR: (None, "products", None),
}
COLUMNS = {  # key in a result: title, format
    "median_ms": ("Median time of a training step, ms", "{:.1f}"),
    "first_step_seconds": ("Building, compiling and the first step, s", "{:.1f}"),
    "peak_mib": (
        "Growth of the process at its peak, compiling included, MiB",
        "{:.0f}",
    ),
}


def define_flags():
    """Defines the flags of this benchmark."""
    rows = [name for name in ROWS if name != "tiny"]
    choices = {
        "cells": (CELLS, CELLS),
        "rows": (ROWS, rows),
        "baselines": (BASELINES, BASELINES),
    }
    flags = training_baselines.define_flags(
        choices, 9, "benchmarks/results/rnn_train.json"
    )
    text = "Measure a `fit` of so many epochs of 8 batches; 0: single steps."
    command_line.definer(flags)("integer", "fit_epochs", 0, text, lower_bound=0)
    return training_baselines.define_keep_memory(flags)


def main(flags):
    """Measures all rows, prints tables and writes the results."""
    measurements = [
        functools.partial(measure_row, flags, cell, size)
        for size in flags.rows
        for cell in flags.cells
    ]
    training_baselines.run(flags, COLUMNS, measurements)


def measure_row(flags, cell, size, baselines):
    """Measures one model with all baselines; returns a row of the report."""
    sizes, num_layers = ROWS[size]
    workers = {}
    for name in baselines:
        backend, library, jit_compile = BASELINES[name]
        settings = {
            "library": library,
            "num_threads": flags.threads,
            "cell": cell,
            "sizes": sizes,
            "num_layers": num_layers,
            "jit_compile": jit_compile,
            "epochs": flags.fit_epochs,
        }
        workers[name] = interleaved.Worker(
            "benchmarks.rnn_train_baseline",
            settings,
            training_baselines.environment(flags, library, backend),
        )
    results = interleaved.measure(workers, flags.rounds, flags.seconds)
    return {
        "name": f"{num_layers} x {cell} {sizes}",
        "cell": cell,
        "sizes": dict(zip(("batch", "time", "features", "units"), sizes, strict=True)),
        "num_layers": num_layers,
        "baselines": results,
    }


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
