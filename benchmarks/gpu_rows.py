"""The rows of `gpu` that are timed: sizes, cells, precisions, baselines."""

import importlib.util
import itertools

from benchmarks import interleaved, rnn_train

NONSENSE = 0.5  # first losses differ by a few percent, as the initial weights do

PRECISIONS = ("tf32", "float32", "bfloat16")  # first what is the default of all
CELLS = ("LSTM", "GRU")
SIZES = {name: rnn_train.ROWS[name] for name in ("stacked", "wide", "long")}
SIZES["large"] = ((128, 512, 512, 768), 1)
SIZES["tiny"] = rnn_train.ROWS["tiny"]  # for tests
OURS = "kerasseq"
BASELINES = {
    OURS: {"library": "kerasseq"},
    "keras": {"library": "keras"},
    "jax_rnn": {"library": "jax_rnn"},
    "torch": {"library": "torch"},
    "unroll_1": {"library": "kerasseq", "unroll": 1},
    "unroll_16": {"library": "kerasseq", "unroll": 16},
    "command_buffer": {"library": "kerasseq"},
}
VARIANTS = ("unroll_1", "unroll_16", "command_buffer")
# A loop is one command, and XLA leaves sequences of fewer than five alone.
XLA_FLAGS = {
    "command_buffer": (
        "--xla_gpu_enable_command_buffer=+WHILE --xla_gpu_graph_min_graph_size=1"
    )
}


def rows(flags):
    """The rows that are asked for, by importance."""
    for precision, size, cell in itertools.product(
        flags.precisions, flags.rows, flags.cells
    ):
        sizes, num_layers = SIZES[size]
        name = f"{num_layers} x {cell} {sizes}, {precision}"
        row = {"cell": cell, "precision": precision, "sizes": sizes}
        yield {"name": name, **row, "num_layers": num_layers}


def measure(flags, processes, platform, row):
    """Measures a row with all baselines that can; returns the row with results."""
    results = {
        name: {"not_available": why_not(name, row, platform)}
        for name in flags.baselines
    }
    settings = {name: value for name, value in row.items() if name != "name"}
    settings["num_threads"] = flags.threads
    workers = {}
    for name, result in results.items():
        if result["not_available"] is None:
            options = settings | BASELINES[name]
            if name == "torch":
                options["needs_gpu"] = platform == "gpu"
            workers[name] = processes.load(
                name, "benchmarks.gpu_baseline", options, XLA_FLAGS.get(name, "")
            )
    measured = interleaved.measure(
        workers, flags.rounds, flags.seconds, close=False, together=True
    )
    for name, result in measured.items():
        if "error" in result:
            processes.drop(name)
        result.pop("peak_mib", None)  # of the processor's memory
        results[name] = result
    refuse_nonsense(results)
    return row | {"baselines": results, "ratios": ratios(results)}


def why_not(name, row, platform):
    """Why a baseline cannot be measured in a row, or `None`."""
    if name == "torch" and not importlib.util.find_spec("torch"):
        return "PyTorch is not installed"
    if name in ("jax_rnn", *VARIANTS) and platform != "gpu":
        return "needs a GPU"
    if name == "jax_rnn" and row["cell"] != "LSTM":
        return "jax.experimental.rnn has LSTM alone"
    if name == "jax_rnn" and row["precision"] == "bfloat16":
        return "jax.experimental.rnn computes in float32 alone"
    if name in VARIANTS and row["precision"] != PRECISIONS[0]:
        return f"measured in {PRECISIONS[0]} alone, to save time"
    return None


def refuse_nonsense(results):
    """Makes an error of a first loss that is far from ours: its time means nothing."""
    ours = results.get(OURS, {}).get("first_loss")
    for name, result in results.items():
        loss = result.get("first_loss")
        if ours and loss and abs(loss - ours) > NONSENSE * ours:
            results[name] = {"error": f"its loss is {loss:.3g}, ours {ours:.3g}"}


def ratios(results):
    """Time of each other baseline over ours."""
    times = {name: x["median_ms"] for name, x in results.items() if "median_ms" in x}
    ours = times.pop(OURS, None)
    return {name: ms / ours for name, ms in times.items()} if ours else {}
