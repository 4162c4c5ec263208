"""How does the cost of training grow with length, for recurrence and attention?

    python -m benchmarks.sequence_models
    python -m benchmarks.sequence_models --lengths 64,512 --rounds 3
    python -m benchmarks.sequence_models --tokens 8192 --lengths 1024,2048,4096,8192 \\
        --models Transformer,Mamba,Mamba-by-steps,mambapy

Compares LSTM, GRU, state-space and RWKV blocks and a causal Transformer with two layers
and equal numbers of weights. All train on the same number of tokens per step: long
sequences come in small batches. A recurrent layer processes its time steps one after
the other; attention computes all positions at once but compares each with each (Vaswani
et al., 2017, table 1); a block is linear in the length. Each model and length has its
own process (`benchmarks/interleaved.py`). Time is the median step of Adam under XLA,
memory the growth of the process, including compiling. Plots both against the length.
Only by name: `Mamba-by-steps`, the same with the automatic gradient of a loop over
steps, and `mambapy` in PyTorch, where both packages are installed.
Takes 40 minutes on two cores, which must be idle otherwise.
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
    "S4D": ("s4d", 276),
    "Mamba": ("mamba", 168),
    "Mamba-2": ("mamba2", 160),
    "RWKV-4": ("rwkv4", 123),
    "RWKV-7": ("rwkv7", 119),
}
PEERS = {"Mamba-by-steps": ("mamba_by_steps", 168), "mambapy": ("mambapy", 168)}
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)
STYLES = {"LSTM": ("#0072b2", "s"), "GRU": ("#009e73", "^")}
STYLES |= {"Transformer": ("#d55e00", "o"), "S4D": ("#56b4e9", "x")}
STYLES |= {"Mamba": ("#cc79a7", "D"), "Mamba-2": ("#cc79a7", "d")}
STYLES |= {"RWKV-4": ("#e69f00", "v"), "RWKV-7": ("#e69f00", "<")}
STYLES |= {"Mamba-by-steps": ("#999999", "D"), "mambapy": ("#000000", "*")}


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    names = ",".join(MODELS | PEERS)
    define("list", "models", list(MODELS), f"Out of {names}.")
    define("list", "lengths", [str(n) for n in LENGTHS], "Tokens per sequence.")
    define("integer", "tokens", 4096, "Tokens per step.", lower_bound=1)
    define("integer", "rounds", 3, "Number of rounds.", lower_bound=1)
    define("float", "seconds", 1.5, "Seconds per model in each round.")
    threads = machine.num_cores()
    define("integer", "threads", threads, "Threads of each baseline.", lower_bound=1)
    output = "benchmarks/results/sequence_models.json"
    define("string", "output", output, "Path of the results; the plot goes next to it.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Measures all lengths, prints a table, writes the results and the plot."""
    lengths = _check(flags)
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    facts = machine.description() | {"threads": flags.threads}
    print(f"{machine.summary(facts)}; {flags.tokens} tokens per step\n")
    rows = []
    print(f"| length | {' | '.join(f'{name}, ms (MiB)' for name in flags.models)} |")
    print("|---" * (1 + len(flags.models)) + "|")
    for length in lengths:
        rows.append({"length": length, "models": measure(flags, length)})
        print(f"| {length} | {' | '.join(map(_cell, rows[-1]['models'].values()))} |")
        settings = {"tokens": flags.tokens, "models": MODELS}
        atomic.write_json(output, settings | {"machine": facts, "rows": rows})
    draw(output.with_suffix(".png"), rows, flags.tokens)
    print(f"\nWritten to {output}, plotted to {output.with_suffix('.png')}")


def _check(flags):
    command_line.check_known("models", flags, MODELS | PEERS)
    lengths = [int(length) for length in flags.lengths if length.isdigit()]
    if len(lengths) < len(flags.lengths) or any(flags.tokens % n for n in lengths):
        raise ValueError(
            "--lengths must be numbers that divide --tokens. Received: "
            f"--lengths={','.join(flags.lengths)} --tokens={flags.tokens}"
        )
    return lengths


def measure(flags, length):
    """Measures all models at one length; returns `{name: result}`."""
    workers = {}
    for name in flags.models:
        cell, units = (MODELS | PEERS)[name]
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
    """Plots time and memory per step against the length, a line per model."""
    titles = {"median_ms": "time per step, ms", "peak_mib": "memory, MiB"}
    with figures.figure(path, 9.4, 3.4) as drawn:
        panels = drawn.subplots(1, 2)
        for axes, (key, title) in zip(panels, titles.items(), strict=True):
            _draw_panel(axes, key, rows)
            axes.set(xlabel=f"length ({tokens:,} tokens per step)", title=title)
        axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))


def _draw_panel(axes, key, rows):
    for name, (color, marker) in STYLES.items():
        points = [
            (row["length"], row["models"][name][key])
            for row in rows
            if row["models"].get(name, {}).get(key)
        ]
        if points:
            x, y = zip(*points, strict=True)
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
