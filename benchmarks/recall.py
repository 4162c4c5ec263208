"""Over how many steps does a network remember, with recurrence and with attention?

    python -m benchmarks.recall
    python -m benchmarks.recall --problems adding --lengths 200 --steps 5000

SimpleRNN, LSTM, GRU and a causal Transformer of equal numbers of weights learn two
problems of Hochreiter and Schmidhuber (1997) in the form of Arjovsky et al. (2016):

- adding: the sum of the two marked numbers out of T. Without memory the best answer is
  1, with a mean squared error of 0.167.
- copying: ten symbols, T - 1 blanks, a sign, and the ten symbols again. Without memory
  of the symbols the cross entropy is 10 ln 8 / (T + 20).

All have the same maximum number of steps, batches and optimizer, and new examples at
each step; the loss is measured on 512 others. A problem is solved, and a run ends,
below a hundredth of the loss without memory. The table also shows published results
with more steps (Bai et al., 2018, table 1). After an interruption the same command
continues. Takes hours on two cores.
"""

import pathlib
import sys

from absl import flags as absl_flags

from benchmarks import machine, previous_results, recall_problems
from kerasseq.utils import atomic
from recipes.shared import command_line, figures

MODELS = {  # name: (cell, units), each with about 68,000 weights
    "SimpleRNN": ("simple_rnn", 250),
    "LSTM": ("lstm", 121),
    "GRU": ("gru", 140),
    "Transformer": ("transformer", 64),
}
COLORS = {"SimpleRNN": "#999999", "LSTM": "#0072b2", "GRU": "#009e73"}
COLORS["Transformer"] = "#d55e00"
LENGTHS = (200, 600, 1000)
PUBLISHED = {
    ("adding", 600): {"SimpleRNN": 0.177, "LSTM": 0.164, "GRU": 5.3e-5},
    ("copying", 1000): {"SimpleRNN": 0.0202, "LSTM": 0.0204, "GRU": 0.0197},
}
SETTINGS = ("steps", "batch_size", "learning_rate", "seed")
STEPS_PER_EPOCH = 100


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    names = ",".join(recall_problems.PROBLEMS)
    define("list", "problems", names.split(","), f"Out of {names}.")
    define("list", "models", list(MODELS), f"Out of {','.join(MODELS)}.")
    define("list", "lengths", [str(n) for n in LENGTHS], "T.")
    text = f"Maximum steps of a run; the loss is measured every {STEPS_PER_EPOCH}."
    define("integer", "steps", 2000, text, lower_bound=STEPS_PER_EPOCH)
    text = "Ends a run below this fraction of the loss without memory; 0: never."
    define("float", "solved", 0.01, text, lower_bound=0.0, upper_bound=1.0)
    define("integer", "batch_size", 32, "Rows per batch.", lower_bound=1)
    define("float", "learning_rate", 1e-3, "Of Adam; gradients are clipped to norm 1.")
    define("integer", "seed", 0, "Seed of weights and examples.")
    output = "benchmarks/results/recall.json"
    define("string", "output", output, "Path of the results; the plot goes next to it.")
    define(
        "string",
        "work_dir",
        "saved_models/recall",
        "Folder for the runs.",
    )
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Trains what is missing, writes the results and the plot."""
    lengths = _check(flags)
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    settings = {name: flags[name].value for name in SETTINGS}
    runs = previous_results.rows(output, settings, "runs")
    for length in lengths:
        for problem in flags.problems:
            for name in flags.models:
                key = {"problem": problem, "length": length, "model": name}
                if any(key.items() <= run.items() for run in runs):
                    continue
                runs.append(key | measure(flags, problem, length, name))
                report = settings | {"machine": machine.description(), "runs": runs}
                atomic.write_json(output, report)
                draw(output.with_suffix(".png"), runs)
    _print_table(runs)
    print(f"\nWritten to {output}, plotted to {output.with_suffix('.png')}")


def _check(flags):
    command_line.check_known("problems", flags, recall_problems.PROBLEMS)
    command_line.check_known("models", flags, MODELS)
    lengths = [int(length) for length in flags.lengths if length.isdigit()]
    if len(lengths) < len(flags.lengths) or min(lengths, default=0) < 2:
        raise ValueError(
            "--lengths must be numbers of at least 2. Received: "
            f"--lengths={','.join(flags.lengths)}"
        )
    return lengths


def measure(flags, problem, length, name):
    """Trains one model on one problem; returns its part of the report."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(flags.seed)
    model = recall_problems.build(problem, length, *MODELS[name])
    optimizer = keras.optimizers.Adam(flags.learning_rate, global_clipnorm=1.0)
    model.compile(optimizer, recall_problems.loss(problem), jit_compile=True)
    weights = model.count_params()
    print(f"{problem}, T = {length}, {name}: {weights:,} weights", flush=True)
    make, size = recall_problems.Examples, flags.batch_size
    solved = flags.solved * recall_problems.baseline(problem, length)
    history = recall_problems.fit(
        model,
        make(problem, length, size, STEPS_PER_EPOCH, flags.seed),
        make(problem, length, 64, 8, flags.seed + 1, fixed=True),
        flags.steps // STEPS_PER_EPOCH,
        recall_problems.Solved("val_loss", solved),
        pathlib.Path(flags.work_dir) / f"{problem}_{length}_{name}",
        {key: flags[key].value for key in SETTINGS},
    )
    losses = [row["val_loss"] for row in history]
    return {
        "weights": weights,
        "loss": losses[-1],
        "losses": [float(f"{loss:.4g}") for loss in losses],
        "seconds": round(sum(row["seconds"] for row in history), 1),
        "published": PUBLISHED.get((problem, length), {}).get(name),
    }


def draw(path, runs):
    """Plots the loss against the steps, with a row per problem, a column per length."""
    problems = [
        p
        for p in recall_problems.PROBLEMS
        if previous_results.matching(runs, problem=p)
    ]
    lengths = sorted({run["length"] for run in runs})
    width, height = 0.6 + 2.5 * len(lengths), 0.4 + 2.0 * len(problems)
    with figures.figure(path, width, height) as drawn:
        grid = drawn.subplots(len(problems), len(lengths), squeeze=False, sharex=True)
        for row, problem in zip(grid, problems, strict=True):
            for axes, length in zip(row, lengths, strict=True):
                _draw_panel(axes, problem, length, runs)
            row[0].set_ylabel("loss of new examples")
        for axes in grid[-1]:
            axes.set_xlabel("steps")
        grid[0][-1].legend(loc="lower right", fontsize=7)


def _draw_panel(axes, problem, length, runs):
    baseline = recall_problems.baseline(problem, length)
    axes.axhline(baseline, color="black", linestyle=":", linewidth=1)
    for run in previous_results.matching(runs, problem=problem, length=length):
        steps = [STEPS_PER_EPOCH * (i + 1) for i in range(len(run["losses"]))]
        name = run["model"]
        axes.plot(steps, run["losses"], color=COLORS[name], label=name)
        axes.plot(steps[-1], run["losses"][-1], ".", color=COLORS[name])
    figures.log_scale(axes, numbers=(1,))
    axes.set_title(f"{problem}, T = {length:,}")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _print_table(runs):
    names = "problem | T | without memory | model | steps | loss | published | minutes"
    print(f"\n| {names} |\n{'|---' * 8}|")
    for run in runs:
        baseline = recall_problems.baseline(run["problem"], run["length"])
        published = "" if run["published"] is None else f"{run['published']:.3g}"
        print(
            f"| {run['problem']} | {run['length']:,} | {baseline:.3g} | {run['model']} "
            f"| {STEPS_PER_EPOCH * len(run['losses']):,} "
            f"| {run['loss']:.3g} | {published} | {run['seconds'] / 60:.0f} |"
        )


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
