"""The pictures of a run of `recipes.segment`."""

import numpy as np

from recipes.segment import mask_plots
from recipes.shared import image_plots

NUM_SHOWN = 4


def draw(images, results, folder):
    """Draws test images with what each head makes of them.

    Args:
        images: `kerasseq.data.MaskedImages`.
        results: What `recipes.segment.evaluate` returned.
        folder: Where the pictures go, a `pathlib.Path`.

    Returns:
        The names of the files.
    """
    pictures = images.test[0]
    outputs, truth = results["outputs"], results["truth"]
    shown = {name: x[:NUM_SHOWN] for name, x in outputs.items()}
    goals = {name: x[:NUM_SHOWN] for name, x in truth.items()}
    names = []

    def path(name):
        names.append(f"{name}.png")
        return folder / names[-1]

    if "mask" in outputs:
        args = images.class_names, images.ignore_class
        mask_plots.draw_masks(
            path("masks"), pictures[:NUM_SHOWN], goals["mask"], shown["mask"], *args
        )
        mask_plots.draw_worst_masks(
            path("worst_masks"), pictures, truth["mask"], outputs["mask"], *args
        )
    if "reconstruction" in outputs:
        made = 127.5 * (shown["reconstruction"] + 1)
        image_plots.draw_regression(path("reconstruction"), pictures[:NUM_SHOWN], made)
    if "edges" in outputs or "target" in outputs:
        values = {
            name: _shown(x) for name, x in shown.items() if name != "reconstruction"
        }
        goals = {name: _shown(goals[name]) for name in values}
        mask_plots.draw_heads(path("heads"), pictures[:NUM_SHOWN], values, goals)
    return names


def _shown(output):
    """Values of many channels by their first one."""
    return output[..., 0] if output.ndim == 4 else np.asarray(output)
