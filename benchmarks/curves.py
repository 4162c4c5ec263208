"""Draws the scores of several runs, epoch by epoch, into one picture.

    RUNS=saved_models/published
    python -m benchmarks.curves \\
        --runs LSTM=$RUNS/shakespeare_lstm,GRU=$RUNS/shakespeare_gru \\
        --score val_cross_entropy --output benchmarks/results/shakespeare.png

Reads the `history.csv` that every recipe leaves behind.
"""

import csv
import pathlib
import sys

from absl import flags as absl_flags

from recipes.shared import command_line, figures


def define_flags():
    """The flags of this command."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    text = "Name=folder of each run, separated by commas."
    define("list", "runs", None, text)
    define("string", "score", "val_cross_entropy", "Column of history.csv.")
    define("string", "title", None, "Of the vertical axis; else the column's name.")
    define("bool", "minutes", False, "Draw over minutes of training, not epochs.")
    define("string", "output", None, "Path of the PNG.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Reads the runs and draws them."""
    if not flags.runs or not flags.output:
        raise ValueError("Give --runs NAME=FOLDER,... and --output FILE.png.")
    runs = {}
    for run in flags.runs:
        name, found, folder = run.partition("=")
        if not found:
            raise ValueError(f"--runs are NAME=FOLDER, by commas. Received: {run!r}")
        runs[name] = read(folder, flags.score, flags.minutes)
    with figures.figure(flags.output, 4.8, 3.2) as drawn:
        axes = drawn.subplots()
        for name, (x, y) in runs.items():
            axes.plot(x, y, label=name)
        # What comes before would leave no room for what matters.
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
    """The points of a run.

    Args:
        folder: Folder with `history.csv`.
        score: Name of the column.
        minutes: Whether to count minutes, not epochs.

    Returns:
        `(x, y)`, lists of numbers.

    Raises:
        ValueError: if there is no such file or column.
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
