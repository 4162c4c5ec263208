"""How does a Vision Transformer do on little data, beside a small CNN?

    python -m benchmarks.data_size --data_dir ../shared/data/tfds

Trains both models of `recipes.classify_image` on shares of one data set and draws the
accuracy on the test split against the number of training images. All runs have the
same number of steps, flags and augmentation: the images of a share are repeated until
an epoch is as long as with all of them. So a share takes as long as the whole, hours
on two cores.

What is done is kept in `--output`, and a run that was cut off goes on from its last
epoch: the same command continues. Flags of `recipes.classify_image` go through:

    python -m benchmarks.data_size --recipe_flags "--rotation=0 --flip=horizontal" \\
        --vit_flags "--hidden_dim=96 --num_layers=2"
"""

import pathlib
import shlex
import sys

import numpy as np
from absl import flags as absl_flags

from benchmarks import machine, previous_results
from kerasseq.utils import atomic
from recipes.classify_image import __main__ as classify_image
from recipes.classify_image import data as classify_image_data
from recipes.shared import command_line, figures

ARCHITECTURES = {"vit": "Vision Transformer", "cnn": "CNN"}
SHARES = ("0.01", "0.05", "0.2", "1.0")
SETTINGS = ("data", "epochs", "batch_size", "recipe_flags", "vit_flags")
LOOK = {"vit": ("#d55e00", "o"), "cnn": ("#0072b2", "s")}


def define_flags():
    """The flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    define("string", "data", "tfds:fashion_mnist", "As for recipes.classify_image.")
    define("string", "data_dir", None, "Where tensorflow-datasets keeps data.")
    define("list", "shares", list(SHARES), "Shares of the training images.")
    define("list", "archs", list(ARCHITECTURES), "Out of vit,cnn.")
    define("integer", "epochs", 10, "Epochs over all data's number of images.")
    define("integer", "batch_size", 64, "Rows of a batch.", lower_bound=1)
    define("string", "recipe_flags", "", "More flags of recipes.classify_image.")
    define("string", "vit_flags", "", "More of them, for the Transformer alone.")
    output = "benchmarks/results/data_size.json"
    define("string", "output", output, "Results; the picture lies beside it.")
    define("string", "work_dir", "saved_models/data_size", "State of the runs.")
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Trains what is missing, writes the results and draws the picture."""
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    settings = {name: flags[name].value for name in SETTINGS}
    cells = previous_results.rows(output, settings, "cells")
    for share in flags.shares:
        for arch in flags.archs:
            if any((c["arch"], c["share"]) == (arch, float(share)) for c in cells):
                continue
            cells.append(measure(flags, arch, share))
            report = settings | {"machine": machine.description(), "cells": cells}
            atomic.write_json(output, report)
            draw(output.with_suffix(".png"), cells)
    _print_table(cells)
    print(f"\nWritten to {output}, drawn to {output.with_suffix('.png')}")


def measure(flags, arch, share):
    """Trains and scores one model on one share; returns a dict for the report."""
    import keras

    recipe = _recipe_values(flags, arch, share)
    keras.backend.clear_session()
    command_line.prepare(recipe)
    run_dir = command_line.make_folder(pathlib.Path(recipe.output_dir) / "run")
    images = classify_image_data.load_images(recipe)
    num_images = len(images.train[1])
    print(f"\n{ARCHITECTURES[arch]}, {num_images} training images, repeated:")
    loaded = classify_image_data.make_batches(recipe, _repeated(images, float(share)))
    model = classify_image.build_model(recipe, loaded)
    facts = classify_image.train(recipe, model, loaded, run_dir)
    scores = classify_image.evaluate(recipe, model, loaded)["scores"]
    found = {"arch": arch, "share": float(share), "images": num_images}
    found["steps_per_epoch"] = len(loaded["train"])
    return found | {"accuracy": scores["accuracy"], "training": facts}


def _recipe_values(flags, arch, share):
    """The parsed flags of the recipe, which resumes where there is a state."""
    arguments = [f"--arch={arch}", f"--limit={float(share)}", "--resume"]
    arguments += [f"--output_dir={flags.work_dir}/{arch}_{share}"]
    for name in ("data", "data_dir", "epochs", "batch_size"):
        if flags[name].value is not None:
            arguments.append(f"--{name}={flags[name].value}")
    recipe = classify_image.define_flags()
    arguments += shlex.split(flags.recipe_flags)
    if arch == "vit":
        arguments += shlex.split(flags.vit_flags)
    recipe(["recipe", *arguments])
    classify_image.check(recipe)
    return recipe


def _repeated(images, share):
    """The images, those of train repeated to the number before the share was taken."""
    train, labels = images.train
    rows = np.resize(np.arange(len(labels)), round(len(labels) / share))
    return images._replace(train=(train[rows], labels[rows]))


def draw(path, cells):
    """Draws accuracy against the number of images, a line for each model."""
    with figures.figure(path, 5.6, 3.6) as drawn:
        axes = drawn.subplots()
        for arch, (color, marker) in LOOK.items():
            found = sorted(
                (c["images"], c["accuracy"]) for c in cells if c["arch"] == arch
            )
            if not found:
                continue
            label = ARCHITECTURES[arch]
            axes.plot(
                *zip(*found, strict=True), marker=marker, color=color, label=label
            )
        axes.set_xscale("log")
        sizes = sorted({cell["images"] for cell in cells})
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set(xlabel="training images", ylabel="accuracy on the test split")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower right")


def _print_table(cells):
    print("\n| training images | model | accuracy | minutes |\n|---|---|---|---|")
    for cell in sorted(cells, key=lambda cell: (cell["images"], cell["arch"])):
        minutes = cell["training"]["seconds"] / 60
        name = ARCHITECTURES[cell["arch"]]
        print(
            f"| {cell['images']:,} | {name} | {cell['accuracy']:.4f} | {minutes:.0f} |"
        )


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
