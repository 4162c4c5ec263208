"""The pictures of a run of `recipes.classify_image`."""

import numpy as np

from recipes.classify_image import model as classify_image_model
from recipes.shared import image_plots, tta

NUM_SHOWN = 9


def draw(flags, model, data, results, folder):
    """Draws confusions, errors, and what the model attends to.

    Args:
        flags: The flags of the recipe.
        model: The model that was evaluated.
        data: The loaded data.
        results: What `evaluate` returned.
        folder: Where the pictures go, a `pathlib.Path`.

    Returns:
        The names of the files.
    """
    (images, truth), names = data["images"].test, data["images"].class_names
    probabilities = results["probabilities"]
    predicted = probabilities.argmax(axis=1)
    image_plots.draw_confusion(folder / "confusion.png", truth, predicted, names)
    image_plots.draw_worst(folder / "worst.png", images, truth, probabilities, names)
    shown = np.sort(np.unique(truth, return_index=True)[1])[:NUM_SHOWN]  # of each class
    heat = classify_image_model.heat_maps(flags, tta.inner(model), images[shown])
    titles = [f"{names[predicted[i]]} {probabilities[i].max():.0%}" for i in shown]
    image_plots.draw_heat(folder / "heat.png", images[shown], heat, titles)
    return ["confusion.png", "worst.png", "heat.png"]
