"""Runs of recipes that are killed: `python -m tests.killed_recipe RECIPE FLAGS`."""

import csv
import importlib
import os
import pathlib
import signal
import subprocess
import sys

import keras

ROOT = pathlib.Path(__file__).parents[1]


class Kill(keras.callbacks.Callback):
    """Kills the process in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def losses_of_two_runs(recipe, run, arguments, folder):
    """Validation losses of a run, and of one that is killed and resumed.

    Args:
        recipe: Name of the module in `recipes`.
        run: Function that runs it with arguments and returns the exit code.
        arguments: Flags of the recipe.
        folder: Where the results go, to `whole` and `killed`.
    """
    whole, killed = folder / "whole", folder / "killed"
    assert run(*arguments, f"--output_dir={whole}") == 0
    arguments = [*arguments, f"--output_dir={killed}"]
    command = [sys.executable, "-m", "tests.killed_recipe", recipe, *arguments]
    assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL
    assert not (killed / "model.tflite").exists()
    assert run(*arguments, "--resume") == 0
    return _losses(whole), _losses(killed)


def _losses(folder):
    with open(folder / "history.csv", newline="") as file:
        return [float(row["val_loss"]) for row in csv.DictReader(file)]


def main(recipe, *arguments):
    """Runs a recipe until it is killed."""
    from recipes.shared import command_line

    recipe = importlib.import_module(f"recipes.{recipe}.__main__")
    fit = keras.Model.fit
    keras.Model.fit = lambda self, *given, callbacks, **options: fit(
        self, *given, callbacks=[*callbacks, Kill()], **options
    )
    return command_line.run(recipe.main, recipe.define_flags(), "", list(arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
