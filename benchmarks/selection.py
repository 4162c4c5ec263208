"""Can a network choose what it remembers? State-space blocks beside recurrence.

    python -m benchmarks.selection
    python -m benchmarks.selection --problems induction --models Mamba --steps 8000

Mamba, Mamba-2, S4D, an LSTM and a causal Transformer of equal numbers of weights learn
the two problems of Gu and Dao (2023, section 4.1), at a length that a CPU trains:

- selective copying: 16 symbols lie anywhere among blanks and are to be named in their
  order. A recurrence whose constants do not depend on the input, as S4D's, cannot tell
  symbols from blanks.
- induction: what came after the sign when it stood before? Trained at one length, and
  tested at others, up to 65,536.

All have the same maximum number of steps, batches and optimizer, and new examples at
each step; the accuracy is measured on others. A run ends when a problem is solved
(99.9 %). The table also shows the paper's accuracies, at a length of 4,096 and 400,000
steps. After an interruption the same command continues. Takes hours on two cores.
"""

import pathlib
import sys

from absl import flags as absl_flags

from benchmarks import machine, previous_results, recall_problems
from kerasseq.utils import atomic
from recipes.shared import command_line, figures

MODELS = {  # name: (cell, units), each with about 68,000 weights
    "Mamba": ("mamba", 64),
    "Mamba-2": ("mamba2", 54),
    "S4D": ("s4d", 98),
    "LSTM": ("lstm", 121),
    "Transformer": ("transformer", 64),
}
STYLES = {"Mamba": ("#cc79a7", "D"), "Mamba-2": ("#cc79a7", "d")}
STYLES |= {"S4D": ("#56b4e9", "x"), "LSTM": ("#0072b2", "s")}
STYLES |= {"Transformer": ("#d55e00", "o")}
PUBLISHED = {("selective", "Mamba"): 0.998, ("selective", "S4D"): 0.183}
SETTINGS = ("steps", "length", "batch_size", "learning_rate", "seed")
STEPS_PER_EPOCH = 250
SOLVED = 0.999
LENGTHS = tuple(2**k for k in range(6, 17))
LONGEST_ATTENTION = 4096  # what is compared with all grows with the square
TOKENS = 65_536  # in a batch of the test


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    names = ",".join(recall_problems.SELECTION)
    define("list", "problems", names.split(","), f"Out of {names}.")
    define("list", "models", list(MODELS), f"Out of {','.join(MODELS)}.")
    define("integer", "length", 256, "Steps to train on.", lower_bound=32)
    text = f"Maximum steps; the accuracy is measured every {STEPS_PER_EPOCH}."
    define("integer", "steps", 10_000, text, lower_bound=STEPS_PER_EPOCH)
    define("integer", "batch_size", 32, "Rows per batch.", lower_bound=1)
    define("float", "learning_rate", 1e-3, "Of Adam; gradients are clipped to norm 1.")
    text = "Examples of each length that induction is tested on."
    define("integer", "examples", 128, text, lower_bound=1)
    define("integer", "seed", 0, "Seed of weights and examples.")
    output = "benchmarks/results/selection.json"
    define("string", "output", output, "Path of the results; the plot goes next to it.")
    define("string", "work_dir", "saved_models/selection", "Folder for the runs.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Trains what is missing, writes the results and the plot."""
    command_line.check_known("problems", flags, recall_problems.SELECTION)
    command_line.check_known("models", flags, MODELS)
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    settings = {name: flags[name].value for name in SETTINGS}
    runs = previous_results.rows(output, settings, "runs")
    for problem in flags.problems:
        for name in flags.models:
            key = {"problem": problem, "model": name}
            if any(key.items() <= run.items() for run in runs):
                continue
            runs.append(key | measure(flags, problem, name))
            report = settings | {"machine": machine.description(), "runs": runs}
            atomic.write_json(output, report)
            draw(output.with_suffix(".png"), runs, flags.length)
    _print_table(runs)
    print(f"\nWritten to {output}, plotted to {output.with_suffix('.png')}")


def measure(flags, problem, name):
    """Trains one model on one problem; returns its part of the report."""
    import keras

    def build(length):
        model = recall_problems.build(problem, length, *MODELS[name])
        optimizer = keras.optimizers.Adam(flags.learning_rate, global_clipnorm=1.0)
        loss = recall_problems.loss(problem)
        model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=True)
        return model

    keras.backend.clear_session()
    keras.utils.set_random_seed(flags.seed)
    model = build(flags.length)
    print(f"{problem}, {name}: {model.count_params():,} weights", flush=True)
    make, size, seed = recall_problems.Examples, flags.batch_size, flags.seed
    history = recall_problems.fit(
        model,
        make(problem, flags.length, size, STEPS_PER_EPOCH, seed),
        make(problem, flags.length, 64, 8, seed + 1, fixed=True),
        flags.steps // STEPS_PER_EPOCH,
        recall_problems.Solved("val_accuracy", SOLVED),
        pathlib.Path(flags.work_dir) / f"{problem}_{name}",
        {key: flags[key].value for key in SETTINGS},
    )
    found = {
        "weights": model.count_params(),
        "accuracies": [round(row["val_accuracy"], 4) for row in history],
        "seconds": round(sum(row["seconds"] for row in history), 1),
        "published": PUBLISHED.get((problem, name)),
    }
    if problem == "induction":
        found["by_length"] = _by_length(flags, build, model, name)
    return found


def _by_length(flags, build, trained, name):
    """The accuracy at each length, `{length: accuracy}`."""
    found = {}
    for length in LENGTHS:
        if name == "Transformer" and length > LONGEST_ATTENTION:
            continue
        size = min(max(TOKENS // length, 1), flags.examples)
        count = -(-flags.examples // size)
        examples = recall_problems.Examples(
            "induction", length, size, count, flags.seed + 2, fixed=True
        )
        model = build(length)
        model.set_weights(trained.get_weights())
        logs = model.evaluate(examples, verbose=0, return_dict=True)
        found[str(length)] = round(logs["accuracy"], 4)
        print(f"at length {length:,}: {logs['accuracy']:.4f}", flush=True)
    return found


def draw(path, runs, length):
    """Plots selective copying against the steps, and induction against the length."""
    problems = [
        p
        for p in recall_problems.SELECTION
        if previous_results.matching(runs, problem=p)
    ]
    with figures.figure(path, 0.6 + 3.8 * len(problems), 3.2) as drawn:
        grid = drawn.subplots(1, len(problems), sharey=True, squeeze=False)
        for axes, problem in zip(grid[0], problems, strict=True):
            for run in previous_results.matching(runs, problem=problem):
                _draw_run(axes, run)
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
            if problem == "induction":
                axes.axvline(length, color="black", linestyle=":", linewidth=1)
                axes.set_xscale("log", base=2)
                ticks = LENGTHS[::2]
                axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
                axes.tick_params("x", labelsize=8)
                title = f"induction, trained at {length:,}"
                axes.set(title=title, xlabel="length of the test")
            else:
                axes.set(title=f"selective copying, length {length:,}", xlabel="steps")
        grid[0][0].set_ylabel("accuracy of new examples")
        shown = [axes.get_legend_handles_labels() for axes in grid[0]]
        named = {name: line for part in shown for line, name in zip(*part, strict=True)}
        grid[0][-1].legend(named.values(), named.keys(), fontsize=7)


def _draw_run(axes, run):
    color, marker = STYLES[run["model"]]
    if run["problem"] == "induction":
        points = {int(length): score for length, score in run["by_length"].items()}
    else:
        scores = enumerate(run["accuracies"], 1)
        points = {STEPS_PER_EPOCH * count: score for count, score in scores}
    style = {"color": color, "marker": marker, "label": run["model"]}
    axes.plot(
        [*points], [*points.values()], markevery=max(1, len(points) // 8), **style
    )


def _print_table(runs):
    names = "problem | model | weights | steps | accuracy | published | at 64 times "
    print(f"\n| {names}| minutes |\n{'|---' * 8}|")
    for run in runs:
        published = "" if run["published"] is None else f"{run['published']:.3f}"
        longest = max(map(int, run.get("by_length", ())), default=0)
        far = f"{run['by_length'][str(longest)]:.3f}" if longest else ""
        print(
            f"| {run['problem']} | {run['model']} | {run['weights']:,} "
            f"| {STEPS_PER_EPOCH * len(run['accuracies']):,} "
            f"| {run['accuracies'][-1]:.3f} | {published} | {far} "
            f"| {run['seconds'] / 60:.0f} |"
        )


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
