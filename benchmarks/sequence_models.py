"""What does the length of a sequence cost in training: recurrence beside attention?

    python -m benchmarks.sequence_models
    python -m benchmarks.sequence_models --lengths 64,512 --rounds 3

LSTM, GRU and a causal Transformer of equal numbers of weights, two layers each, read
the same number of tokens a step: long sequences come in small batches. A recurrent
layer must take its steps one after the other, attention computes all positions at once
but compares each with each (Vaswani et al., 2017, table 1). Each model and length has a
process of its own (`benchmarks/interleaved.py`); time is the median step of Adam under
XLA, memory what the process grows by, compiling included. Draws both against the
length. Takes 15 minutes on two cores, which must have nothing else to do.
"""

import pathlib
import sys

from absl import flags as absl_flags

from benchmarks import interleaved, machine
from kerasseq.utils import atomic
from recipes.shared import command_line, figures

MODELS = {  # name: (cell, units or features), of 0.41 million weights each
    "LSTM": ("lstm", 161),
    "GRU": ("gru", 188),
    "Transformer": ("transformer", 128),
}
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)
LOOK = {"LSTM": ("#0072b2", "s"), "GRU": ("#009e73", "^")}
LOOK["Transformer"] = ("#d55e00", "o")


def define_flags():
    """The flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    define("list", "models", list(MODELS), f"Out of {','.join(MODELS)}.")
    define("list", "lengths", [str(n) for n in LENGTHS], "Tokens of a sequence.")
    define("integer", "tokens", 4096, "Tokens of a step.", lower_bound=1)
    define("integer", "rounds", 3, "Rounds.", lower_bound=1)
    define("float", "seconds", 1.5, "Length of a turn.")
    threads = machine.num_cores()
    define("integer", "threads", threads, "Threads of each baseline.", lower_bound=1)
    output = "benchmarks/results/sequence_models.json"
    define("string", "output", output, "Results; the picture lies beside it.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Measures all lengths, prints a table, writes the results and the picture."""
    lengths = _check(flags)
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    facts = machine.description() | {"threads": flags.threads}
    print(f"{machine.summary(facts)}; {flags.tokens} tokens a step\n")
    rows = []
    print(f"| length | {' | '.join(f'{name}, ms (MiB)' for name in flags.models)} |")
    print("|---" * (1 + len(flags.models)) + "|")
    for length in lengths:
        rows.append({"length": length, "models": measure(flags, length)})
        print(f"| {length} | {' | '.join(map(_cell, rows[-1]['models'].values()))} |")
        settings = {"tokens": flags.tokens, "models": MODELS}
        atomic.write_json(output, settings | {"machine": facts, "rows": rows})
    draw(output.with_suffix(".png"), rows, flags.tokens)
    print(f"\nWritten to {output}, drawn to {output.with_suffix('.png')}")


def _check(flags):
    unknown = set(flags.models) - MODELS.keys()
    if unknown:
        raise ValueError(f"--models are {', '.join(MODELS)}. Received: {unknown}")
    lengths = [int(length) for length in flags.lengths if length.isdigit()]
    if len(lengths) < len(flags.lengths) or any(flags.tokens % n for n in lengths):
        raise ValueError(
            "--lengths are numbers that divide --tokens. Received: "
            f"--lengths={','.join(flags.lengths)} --tokens={flags.tokens}"
        )
    return lengths


def measure(flags, length):
    """Measures all models at one length; returns `{name: result}`."""
    workers = {}
    for name in flags.models:
        cell, units = MODELS[name]
        settings = {"cell": cell, "units": units, "num_threads": flags.threads}
        settings["shape"] = (flags.tokens // length, length)
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
        workers[name] = interleaved.Worker(
            "benchmarks.sequence_models_baseline", settings, environment
        )
    return interleaved.measure(workers, flags.rounds, flags.seconds)


def _cell(result):
    if "median_ms" not in result:
        return f"failed: {result['error']}"
    return f"{result['median_ms']:.0f} ({result['peak_mib'] or 0:.0f})"


def draw(path, rows, tokens):
    """Draws time and memory of a step against the length, a line for each model."""
    titles = {"median_ms": "time of a step, ms", "peak_mib": "memory, MiB"}
    with figures.figure(path, 8.2, 3.4) as drawn:
        panels = drawn.subplots(1, 2)
        for axes, (key, title) in zip(panels, titles.items(), strict=True):
            _draw_panel(axes, key, rows)
            axes.set(xlabel=f"length ({tokens:,} tokens a step)", title=title)
        axes.legend()


def _draw_panel(axes, key, rows):
    for name, (color, marker) in LOOK.items():
        found = [
            (row["length"], row["models"][name][key])
            for row in rows
            if row["models"].get(name, {}).get(key)
        ]
        if found:
            x, y = zip(*found, strict=True)
            axes.plot(x, y, marker=marker, color=color, label=name)
    axes.set_xscale("log", base=2)
    figures.log_scale(axes)
    lengths = [row["length"] for row in rows]
    axes.set_xticks(lengths, [str(n) for n in lengths])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
