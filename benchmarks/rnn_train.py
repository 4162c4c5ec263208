"""How long does a training step of a recurrent network take?

    python -m benchmarks.rnn_train
    python -m benchmarks.rnn_train --cells LSTM,GRU --rows stacked --turns 3

Six peers in one run, in turns: kerasseq on TensorFlow under XLA, stock Keras on
TensorFlow with and without XLA (the better one counts), stock Keras and kerasseq on
JAX, and PyTorch's own fused layers in eager mode. `benchmarks/rnn_train_peer.py` says
what a step is, `benchmarks/turns.py` how turns work. Every row has fresh processes, so
that its memory and compile time are its own. Ratios above 1 mean that kerasseq is
faster. Takes 25 minutes on two cores, which must have nothing else to do: threads that
wait for each other in a spin, as PyTorch's do, lose most where they must share.
"""

import importlib.util
import pathlib
import statistics
import sys

from absl import flags

from benchmarks import machine, turns
from kerasseq import atomic
from recipes import common

CELLS = ("LSTM", "GRU", "SimpleRNN", "BiLSTM")
ROWS = {  # (batch, time, features, units), layers
    "stacked": ((32, 64, 128, 256), 2),
    "wide": ((64, 128, 256, 512), 1),
    "long": ((16, 1024, 64, 64), 1),
    "tiny": ((2, 5, 3, 4), 1),  # for tests
}
PEERS = {  # backend, library, jit_compile
    "kerasseq": ("tensorflow", "kerasseq", True),
    "keras_jit": ("tensorflow", "keras", True),
    "keras": ("tensorflow", "keras", False),
    "keras_jax": ("jax", "keras", True),
    "kerasseq_jax": ("jax", "kerasseq", True),
    "torch": (None, "torch", None),
}
RATIOS = {  # name: (slower if we are good, ours)
    "Keras/ours": (("keras_jit", "keras"), "kerasseq"),
    "torch/ours": (("torch",), "kerasseq"),
    "JAX: Keras/ours": (("keras_jax",), "kerasseq_jax"),
}
BUSY = 0.3  # cores at work elsewhere, from which on times are not to be trusted
COLUMNS = {  # key in a result: title, format
    "median_ms": ("Median time of a training step, ms", "{:.1f}"),
    "first_step_seconds": ("Building, compiling and the first step, s", "{:.1f}"),
    "peak_mib": (
        "Growth of the process at its peak, compiling included, MiB",
        "{:.0f}",
    ),
}


def define_flags():
    """The flags of this benchmark."""
    values = flags.FlagValues()

    def some_of(name, choices, default):
        text = f"Comma-separated, of: {', '.join(choices)}."
        flags.DEFINE_list(name, list(default), text, flag_values=values)
        flags.register_validator(
            name, lambda given: set(given) <= set(choices), text, flag_values=values
        )

    some_of("cells", CELLS, CELLS)
    some_of("rows", ROWS, ["stacked", "wide", "long"])
    some_of("peers", PEERS, PEERS)
    flags.DEFINE_integer("turns", 5, "Rounds.", lower_bound=1, flag_values=values)
    flags.DEFINE_float("seconds", 1.5, "Length of a turn.", flag_values=values)
    flags.DEFINE_integer(
        "threads",
        machine.num_cores(),
        "Threads of each peer.",
        lower_bound=1,
        flag_values=values,
    )
    flags.DEFINE_string(
        "output",
        "benchmarks/results/rnn_train.json",
        "Where the results go.",
        flag_values=values,
    )
    flags.DEFINE_bool("debug", False, "Show tracebacks.", flag_values=values)
    return values


def main(values):
    """Measures all rows, prints tables and writes the results."""
    facts = machine.description() | {"threads": values.threads}
    print(f"{machine.summary(facts)}; {values.threads} threads each\n")
    peers = [name for name in PEERS if name in values.peers]
    if "torch" in peers and importlib.util.find_spec("torch") is None:
        print(
            "PyTorch is not installed: pip install kerasseq[bench]. Going on without."
        )
        peers.remove("torch")
    output = pathlib.Path(values.output)
    common.make_folder(output.parent)
    rows = []
    for size in values.rows:
        for cell in values.cells:
            rows.append(measure_row(values, cell, size, peers))
            _print_row(rows[-1])
            report = {"machine": facts, "rows": rows, "geometric_means": means(rows)}
            atomic.write_json(output, report)  # so that an interrupted run has results
    for key, (title, form) in COLUMNS.items():
        _print_table(title, rows, peers, key, form)
    print("\nGeometric means, above 1 where kerasseq is faster:")
    for name, mean in report["geometric_means"].items():
        print(f"  {name}: {mean:.2f}")
    print(f"\nWritten to {output}")


def measure_row(values, cell, size, peers):
    """Measures one model with all peers; returns a dict for the report."""
    sizes, num_layers = ROWS[size]
    workers = {}
    for name in peers:
        backend, library, jit_compile = PEERS[name]
        settings = {
            "library": library,
            "num_threads": values.threads,
            "cell": cell,
            "sizes": sizes,
            "num_layers": num_layers,
            "jit_compile": jit_compile,
        }
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3"}
        if backend:
            environment["KERAS_BACKEND"] = backend
        workers[name] = turns.Worker("benchmarks.rnn_train_peer", settings, environment)
    results = turns.measure(workers, values.turns, values.seconds)
    return {
        "name": f"{num_layers} x {cell} {sizes}",
        "cell": cell,
        "sizes": dict(zip(("batch", "time", "features", "units"), sizes, strict=True)),
        "num_layers": num_layers,
        "peers": results,
        "ratios": ratios(results),
    }


def ratios(results):
    """How many times as long the others take; only what was measured."""
    found = {}
    for name, (others, ours) in RATIOS.items():
        times = [results.get(other, {}).get("median_ms") for other in others]
        times = [time for time in times if time]
        ours = results.get(ours, {}).get("median_ms")
        if times and ours:
            found[name] = min(times) / ours
    return found


def means(rows):
    """Geometric mean of each ratio over the rows that have it."""
    found = {}
    for name in RATIOS:
        values = [row["ratios"][name] for row in rows if name in row["ratios"]]
        if values:
            found[name] = statistics.geometric_mean(values)
    return found


def _print_row(row):
    times = [
        f"{name} {result['median_ms']:.1f}"
        for name, result in row["peers"].items()
        if "median_ms" in result
    ]
    print(f"{row['name']}: {', '.join(times)}", flush=True)
    for name, result in row["peers"].items():
        if "error" in result:
            print(f"  {name} failed: {result['error']}", flush=True)
    busy = [result.get("busy_cores", 0) for result in row["peers"].values()]
    if max(busy) > BUSY:
        print(f"  disturbed: other work kept up to {max(busy):.1f} cores busy")


def _print_table(title, rows, peers, key, form):
    columns = [*RATIOS] if key == "median_ms" else []
    print(f"\n{title}\n\n| model | {' | '.join([*peers, *columns])} |")
    print("|---" * (1 + len(peers) + len(columns)) + "|")
    for row in rows:
        values = [row["peers"][name].get(key) for name in peers]
        cells = ["failed" if v is None else form.format(v) for v in values]
        found = [row["ratios"].get(name) for name in columns]
        cells += ["" if ratio is None else f"{ratio:.2f}" for ratio in found]
        print(f"| {row['name']} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(common.run(main, define_flags(), __doc__))
