"""Plots the scores of several runs by epoch.

    RUNS=saved_models/published
    python -m benchmarks.curves \\
        --runs LSTM=$RUNS/shakespeare_lstm,GRU=$RUNS/shakespeare_gru \\
        --score val_cross_entropy --output benchmarks/results/shakespeare.png

Reads the `history.csv` that every recipe writes.
"""

import csv
import pathlib
import sys

from absl import flags as absl_flags

from recipes.shared import command_line, figures


def define_flags():
    """Defines the flags of this command."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    text = "Runs as NAME=FOLDER, separated by commas."
    define("list", "runs", None, text)
    define("string", "score", "val_cross_entropy", "Column of history.csv.")
    define("string", "title", None, "Title of the vertical axis; default: the column.")
    define("bool", "minutes", False, "Plot over minutes of training, not epochs.")
    define("string", "output", None, "Path of the PNG.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Reads the runs and plots them."""
    if not flags.runs or not flags.output:
        raise ValueError("Pass --runs=NAME=FOLDER,... and --output=FILE.png.")
    runs = {}
    for run in flags.runs:
        name, separator, folder = run.partition("=")
        if not separator:
            raise ValueError(
                f"--runs must be NAME=FOLDER, separated by commas. Received: {run!r}"
            )
        runs[name] = read(folder, flags.score, flags.minutes)
    with figures.figure(flags.output, 4.8, 3.2) as drawn:
        axes = drawn.subplots()
        for name, (x, y) in runs.items():
            axes.plot(x, y, label=name)
        # The high losses of the start would squeeze the rest together.
        lowest = min(min(y) for _, y in runs.values())
        axes.set_ylim(0.97 * lowest, 2 * lowest)
        unit = "minutes of training" if flags.minutes else "epochs"
        title = flags.title or flags.score.replace("_", " ")
        axes.set(xlabel=unit, ylabel=title)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend()
    for name, (x, y) in runs.items():
        best = min(range(len(y)), key=y.__getitem__)
        print(
            f"{name}: lowest {y[best]:.4f}, after {x[best]:.4g} of {x[-1]:.4g} {unit}"
        )
    print(f"Written to {flags.output}")


def read(folder, score, minutes):
    """Reads the curve of a run.

    Args:
        folder: Folder with `history.csv`.
        score: Name of the column.
        minutes: Boolean, whether `x` is minutes instead of epochs.

    Returns:
        `(x, y)`, lists of numbers.

    Raises:
        ValueError: If there is no such file or column.
    """
    path = pathlib.Path(folder) / "history.csv"
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise ValueError(f"Cannot read '{path}' ({error.strerror}).") from error
    if not rows or score not in rows[0]:
        columns = sorted(rows[0]) if rows else "no rows"
        raise ValueError(f"'{path}' has no column {score!r}. Received: {columns}")
    x, elapsed = [], 0.0
    for row in rows:
        elapsed += float(row["seconds"]) / 60
        x.append(elapsed if minutes else int(row["epoch"]))
    return x, [float(row[score]) for row in rows]


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
