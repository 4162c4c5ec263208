"""How long does a training step of a recurrent translator take?

    python -m benchmarks.translate_train
    python -m benchmarks.translate_train --rows gru_general --rounds 3

Compares `kerasseq.models.seq2seq` under XLA, on TensorFlow and on JAX, with the same
model of PyTorch's own layers in eager mode, and with the bare matrix products of the
step, which nothing can be faster than (`benchmarks/matrix_products.py`), interleaved
in one run. A step is described in `benchmarks/translate_train_baseline.py`, the rounds
in `benchmarks/interleaved.py`. The last column is the time per real token of the
source and the target. Takes 12 minutes on two cores, which must be idle otherwise.
"""

import functools
import sys

from benchmarks import interleaved, training_baselines
from benchmarks import translate_train_baseline as baseline
from recipes.shared import command_line

SIZES = {
    "batch_size": 64,
    "length": 20,
    "vocabulary_size": 5000,
    "embedding_dim": 256,
    "units": 384,
}
TINY = {
    "batch_size": 2,
    "length": 3,
    "vocabulary_size": 11,
    "embedding_dim": 4,
    "units": 6,
}
ROWS = {  # cell, attention, input feeding, sizes
    "gru_general": ("gru", "general", True, SIZES),
    "gru_general_unfed": ("gru", "general", False, SIZES),
    "gru_additive": ("gru", "additive", True, SIZES),
    "gru_additive_unfed": ("gru", "additive", False, SIZES),
    "lstm_general": ("lstm", "general", True, SIZES),
    "lstm_general_unfed": ("lstm", "general", False, SIZES),
    "gru_tiny": ("gru", "additive", True, TINY),  # for tests
}
BASELINES = {  # backend, library
    "kerasseq": ("tensorflow", "kerasseq"),
    "kerasseq_jax": ("jax", "kerasseq"),
    "torch": (None, "torch"),
    training_baselines.FLOOR: (None, "products"),
}
COLUMNS = {  # key in a result: title, format
    "median_ms": ("Median time of a training step, ms", "{:.1f}"),
    "first_step_seconds": ("Building, compiling and the first step, s", "{:.1f}"),
    "us_per_token": ("Time per real token, microseconds", "{:.1f}"),
}


def define_flags():
    """Defines the flags of this benchmark."""
    rows = [name for name in ROWS if not name.endswith("tiny")]
    choices = {"rows": (ROWS, rows), "baselines": (BASELINES, BASELINES)}
    output = "benchmarks/results/translate_train.json"
    flags = training_baselines.define_flags(choices, 9, output)
    return training_baselines.define_keep_memory(flags)


def main(flags):
    """Measures all rows, prints tables and writes the results."""
    measurements = [functools.partial(measure_row, flags, row) for row in flags.rows]
    training_baselines.run(flags, COLUMNS, measurements)


def measure_row(flags, row, baselines):
    """Measures one model with all baselines; returns a row of the report."""
    cell, attention, input_feeding, sizes = ROWS[row]
    model = {"cell": cell, "attention": attention, "input_feeding": input_feeding}
    workers = {}
    for name in baselines:
        backend, library = BASELINES[name]
        workers[name] = interleaved.Worker(
            "benchmarks.translate_train_baseline",
            {"library": library, "num_threads": flags.threads, **model, **sizes},
            training_baselines.environment(flags, library, backend),
        )
    results = interleaved.measure(workers, flags.rounds, flags.seconds)
    tokens = baseline.num_tokens(sizes["batch_size"], sizes["length"])
    for result in results.values():
        if "median_ms" in result:
            result["us_per_token"] = 1e3 * result["median_ms"] / tokens
    return {"name": row, **model, **sizes, "baselines": results}


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
