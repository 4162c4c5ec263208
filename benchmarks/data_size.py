"""How does a Vision Transformer compare with a small CNN on little data?

    python -m benchmarks.data_size --data_dir ../shared/data/tfds

Trains both models of `recipes.classify_image` on fractions of one data set and plots
the accuracy on the test split against the number of training images. All runs have the
same number of steps, flags and augmentation: the images of a fraction are repeated
until an epoch is as long as with all images. So each run takes as long as with all
data; together they take hours on two cores.

Results are kept in `--output`, and an interrupted run is resumed from its last epoch:
the same command continues. Flags of `recipes.classify_image` can be passed on:

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
FRACTIONS = ("0.01", "0.05", "0.2", "1.0")
SETTINGS = ("data", "epochs", "batch_size", "recipe_flags", "vit_flags")
STYLES = {"vit": ("#d55e00", "o"), "cnn": ("#0072b2", "s")}


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = command_line.definer(flags)
    define("string", "data", "tfds:fashion_mnist", "As for recipes.classify_image.")
    define("string", "data_dir", None, "Folder of prepared TFDS data sets.")
    define("list", "fractions", list(FRACTIONS), "Fractions of the training images.")
    define("list", "archs", list(ARCHITECTURES), "Out of vit,cnn.")
    define("integer", "epochs", 10, "Epochs, each as long as with all images.")
    define("integer", "batch_size", 64, "Rows per batch.", lower_bound=1)
    define("string", "recipe_flags", "", "More flags of recipes.classify_image.")
    define("string", "vit_flags", "", "More of them, for the Transformer only.")
    output = "benchmarks/results/data_size.json"
    define("string", "output", output, "Path of the results; the plot goes next to it.")
    define(
        "string",
        "work_dir",
        "saved_models/data_size",
        "Folder for the runs.",
    )
    define("bool", "debug", False, "Show tracebacks.")
    return flags


def main(flags):
    """Trains what is missing, writes the results and the plot."""
    output = pathlib.Path(flags.output)
    command_line.make_folder(output.parent)
    settings = {name: flags[name].value for name in SETTINGS}
    cells = previous_results.rows(output, settings, "cells")
    for fraction in flags.fractions:
        for arch in flags.archs:
            key = arch, float(fraction)
            if any((cell["arch"], cell["fraction"]) == key for cell in cells):
                continue
            cells.append(measure(flags, arch, fraction))
            report = settings | {"machine": machine.description(), "cells": cells}
            atomic.write_json(output, report)
            draw(output.with_suffix(".png"), cells)
    _print_table(cells)
    print(f"\nWritten to {output}, plotted to {output.with_suffix('.png')}")


def measure(flags, arch, fraction):
    """Trains and scores one model on a fraction; returns its part of the report."""
    import keras

    recipe = _recipe_flags(flags, arch, fraction)
    keras.backend.clear_session()
    command_line.prepare(recipe)
    run_dir = command_line.make_folder(pathlib.Path(recipe.output_dir) / "run")
    images = classify_image_data.load_images(recipe)
    num_images = len(images.train[1])
    print(f"\n{ARCHITECTURES[arch]}, {num_images} training images, repeated:")
    loaded = classify_image_data.make_batches(
        recipe, _repeated(images, float(fraction))
    )
    model = classify_image.build_model(recipe, loaded)
    facts = classify_image.train(recipe, model, loaded, run_dir).facts
    scores = classify_image.evaluate(recipe, model, loaded)["scores"]
    return {
        "arch": arch,
        "fraction": float(fraction),
        "images": num_images,
        "steps_per_epoch": len(loaded["train"]),
        "accuracy": scores["accuracy"],
        "training": facts,
    }


def _recipe_flags(flags, arch, fraction):
    """The flags of the recipe, which resumes if there is a state."""
    arguments = [f"--arch={arch}", f"--limit={float(fraction)}", "--resume"]
    arguments += [f"--output_dir={flags.work_dir}/{arch}_{fraction}"]
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


def _repeated(images, fraction):
    """Repeats the images of train, a fraction, to their full number."""
    train, labels = images.train
    rows = np.resize(np.arange(len(labels)), round(len(labels) / fraction))
    return images._replace(train=(train[rows], labels[rows]))


def draw(path, cells):
    """Plots accuracy against the number of images, a line per model."""
    with figures.figure(path, 5.6, 3.6) as drawn:
        axes = drawn.subplots()
        for arch, (color, marker) in STYLES.items():
            points = sorted(
                (c["images"], c["accuracy"]) for c in cells if c["arch"] == arch
            )
            if not points:
                continue
            label = ARCHITECTURES[arch]
            axes.plot(
                *zip(*points, strict=True), marker=marker, color=color, label=label
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
