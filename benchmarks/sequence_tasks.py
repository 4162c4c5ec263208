"""What do the encoders score on real sequences, and what do they cost?

    python -m benchmarks.sequence_tasks --suites sst2,etth1,gru_lstm
    python -m benchmarks.sequence_tasks --suites sst2 --recipe_flags=--epochs=2

Runs recipes, each in a process of its own, on the data of `--data_root`, and puts their
cards into one table: the validation score that chose the epoch, the score of the test
split, weights, and seconds per epoch. Which row is best is for the validation score to
say. Suites:

- `sst2`: every encoder of `recipes.classify_text` on the sentences of SST-2;
- `etth1`: every model of `recipes.forecast` on ETTh1, seven columns, 12, 4 and 4
  months, look-back 336 at horizons 96, 192, 336 and 720, and 96 at 24, 48 and 168;
- `gru_lstm`: both with as many weights on three tasks: tags of English-EWT, SST-2, and
  Fashion-MNIST row by row.

Hours on two cores. Rows that are in `--output` are kept, and an interrupted run goes on
from its last epoch: the same command continues.
"""

import json
import pathlib
import shlex
import subprocess
import sys
import typing

from absl import flags as absl_flags

from benchmarks import machine, previous_results
from kerasseq.utils import atomic
from recipes.shared import command_line


class Row(typing.NamedTuple):
    """A run: of which recipe, with which flags, and what its scores are called."""

    recipe: str
    flags: str
    validation: str
    test: str


def _sst2(flags):
    data = "--data={root}/sst2/train.tsv --validation_data={root}/sst2/dev.tsv "
    data += "--test_data={root}/sst2/test.tsv --monitor=accuracy "
    return Row("classify_text", data + flags, "val_accuracy", "accuracy")


_SMALL = "--embedding_dim=128 --dropout=0.6 --learning_rate=1e-3 --epochs=12"
_POOLINGS = {
    "mlp": "mean",
    "simple_rnn": "max",
    "irnn": "max",
    "lstm": "max",
    "gru": "max",
    "layer_norm_lstm": "max",
    "bilstm": "max",
    "bigru": "max",
    "cnn": "max",
    "transformer": "mean",
}
_LINEAR = ("linear", "nlinear", "dlinear")
_OTHERS = ("patch_transformer", "lstm", "gru", "seq2seq", "cnn", "transformer")
_HORIZONS = {336: (96, 192, 336, 720), 96: (24, 48, 168)}


def _etth1(arch, look_back, horizon):
    flags = "--data={root}/ett/ETTh1.csv --split=8640,2880,2880 --quantiles= "
    flags += f"--arch={arch} --look_back={look_back} --horizon={horizon} --patience=3 "
    if arch in _LINEAR:
        flags += "--weight_decay=0 --learning_rate=3e-4"
    elif arch == "patch_transformer":
        # The paper's sizes for this data set, PatchTST/42.
        flags += "--units=16 --mlp_dim=128 --num_layers=3 --dropout=0.3 "
        flags += "--learning_rate=1e-3 --epochs=15 --batch_size=64"
    else:
        flags += "--dropout=0.3 --learning_rate=5e-4"
    return Row("forecast", flags, "val_loss", "mse")


def _pairs():
    """A GRU and an LSTM of as many weights on each task."""
    ewt = "--data={root}/ewt/en_ewt-ud-train.conllu --noper_word "
    ewt += "--test_data={root}/ewt/en_ewt-ud-dev.conllu --epochs=8 --dropout=0.4 "
    fashion = "--data=tfds:fashion_mnist --data_dir={root}/tfds --as_sequence=rows "
    fashion += "--epochs=8 "
    units = {  # of a GRU and of an LSTM, with three gates and with four
        "ewt": ("tag", ewt, "val_accuracy", "accuracy", (155, 128)),
        "sst2": (*_sst2(f"{_SMALL} --pooling=max "), (154, 128)),
        "rows": ("classify_image", fashion, "val_accuracy", "accuracy", (149, 128)),
    }
    found = {}
    for task, (recipe, flags, validation, test, sizes) in units.items():
        prefix = "bi" if task == "ewt" else ""
        for cell, size in zip(("gru", "lstm"), sizes, strict=True):
            own = f"{flags} --arch={prefix}{cell} --units={size}"
            found[f"{task}_{cell}"] = Row(recipe, own, validation, test)
    return found


SUITES = {
    "sst2": {
        arch: _sst2(f"{_SMALL} --arch={arch} --pooling={pooling}")
        for arch, pooling in _POOLINGS.items()
    },
    "etth1": {
        f"{arch}_{look_back}_{horizon}": _etth1(arch, look_back, horizon)
        for look_back, horizons in _HORIZONS.items()
        for horizon in horizons
        for arch in (*_LINEAR, *_OTHERS)
    },
    "gru_lstm": _pairs(),
}


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    define("list", "suites", [*SUITES], f"Out of {', '.join(SUITES)}.")
    define("list", "rows", [], "Only these rows; else all.")
    define("string", "data_root", "../shared/data", "Folder of the data sets.")
    define("string", "recipe_flags", "", "More flags of all runs.")
    output = "benchmarks/results/sequence_tasks.json"
    define("string", "output", output, "Path of the results.")
    define("string", "work_dir", "saved_models/sequence_tasks", "Folder for the runs.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Runs what is missing, writes the results and prints the tables.

    Raises:
        ValueError: if a suite or row is none, or a run fails.
    """
    wanted = _wanted(flags)
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    settings = {"recipe_flags": flags.recipe_flags}
    rows = previous_results.rows(output, settings, "rows")
    for suite, name in wanted:
        if any((row["suite"], row["name"]) == (suite, name) for row in rows):
            continue
        rows.append(measure(flags, suite, name))
        report = settings | {"machine": machine.description(), "rows": rows}
        atomic.write_json(output, report)
    for suite in flags.suites:
        _print_table(suite, [row for row in rows if row["suite"] == suite])
    print(f"\nWritten to {output}")


def _wanted(flags):
    """Pairs of suite and row."""
    unknown = sorted({*flags.suites} - {*SUITES})
    if unknown:
        raise ValueError(
            f"--suites is a list out of {','.join(SUITES)}. "
            f"Received: --suites={','.join(flags.suites)}"
        )
    pairs = [(suite, name) for suite in flags.suites for name in SUITES[suite]]
    unknown = sorted({*flags.rows} - {name for _, name in pairs})
    if unknown:
        raise ValueError(
            f"--rows is a list out of {','.join(name for _, name in pairs)}. "
            f"Received: --rows={','.join(flags.rows)}"
        )
    return [pair for pair in pairs if not flags.rows or pair[1] in flags.rows]


def measure(flags, suite, name):
    """Runs a row, or goes on with it; returns its part of the report."""
    row = SUITES[suite][name]
    folder = pathlib.Path(flags.work_dir) / suite / name
    arguments = row.flags.format(root=flags.data_root)
    arguments = [*shlex.split(arguments), *shlex.split(flags.recipe_flags)]
    command = ["-m", f"recipes.{row.recipe}", *arguments, f"--output_dir={folder}"]
    if (folder / "run").exists():
        command.append("--resume")
    print(f"\n{suite}, {name}: python {shlex.join(command)}", flush=True)
    done = subprocess.run([sys.executable, *command])
    if done.returncode:
        raise ValueError(f"The run of {name} ended with code {done.returncode}.")
    card = json.loads((folder / "card.json").read_text())
    training = card["training"]
    return {
        "suite": suite,
        "name": name,
        "command": shlex.join(["python", *command[:2], *arguments]),
        "validation": training[row.validation],
        "test": card["metrics"][row.test],
        "parameters": training["parameters"],
        "epochs": training["epochs"],
        "best_epoch": training["best_epoch"],
        "seconds_per_epoch": training["seconds"] / training["epochs"],
        "bytes": card["bytes"],
    }


def _print_table(suite, rows):
    print(f"\n{suite}\n\n| row | validation | test | weights | s per epoch | best |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['name']} | {row['validation']:.4f} | {row['test']:.4f} | "
            f"{row['parameters']:,} | {row['seconds_per_epoch']:.1f} | "
            f"{row['best_epoch']} of {row['epochs']} |"
        )


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
