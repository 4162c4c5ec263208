"""Pictures of what the model attends to at each word."""

import math

import numpy as np

import kerasseq
from recipes.caption import data as caption_data
from recipes.shared import figures, image_plots, masks

COLUMNS = 6
WIDTH = 1.5  # of a panel, in inches


def draw_attention(model, data, count, folder):
    """Draws, for a few test images, where greedy search looks at each word.

    Args:
        model: The trained model.
        data: The loaded data.
        count: Number of images.
        folder: Folder of the PNGs, a `pathlib.Path`.

    Returns:
        The names of the files.
    """
    search = kerasseq.decoding.Captioner(model, data["length"], return_attention=True)
    images = data["images"].test[0][:count]
    outputs = search.predict(images, verbose=0)
    grid = kerasseq.models.captioner_grid(model)
    references = caption_data.references(data)
    names = [f"attention_{number}.png" for number in range(1, len(images) + 1)]
    for index, (name, image) in enumerate(zip(names, images, strict=True)):
        words = data["words"].until_end(outputs["tokens"][index])
        weights = outputs["attention"][index, : len(words)]
        weights = weights.reshape(len(words), *grid)
        draw(folder / name, image, words, weights, references[index])
    return names


def draw(path, image, words, weights, references):
    """Draws an image, and beside it one heat map per word laid over it.

    Args:
        path: Path of the PNG.
        image: Array `(height, width, channels)`, 0 to 255.
        words: List of the caption's words.
        weights: Array `(len(words), rows, columns)` of attention weights; the largest
            of each word is the brightest.
        references: List of right captions.
    """
    width, height = figures.panel_size(image[None], WIDTH)
    columns = min(COLUMNS, len(words) + 1)
    rows = math.ceil((len(words) + 1) / columns)
    size = (columns * (width + 0.1) + 0.2, rows * (height + 0.3) + 0.5)
    caption = kerasseq.data.join_words(words)
    with figures.figure(path, *size) as drawn:
        right = "right" if caption in references else f"reference: {references[0]}"
        title = f"{caption} ({right})"
        drawn.suptitle(figures.shorten(title, size[0]))
        axes = figures.panels(drawn, rows, columns).flat
        picture = masks.rgb(image)
        axes[0].imshow(picture)
        axes[0].set_title("image")
        for panel, word, heat in zip(axes[1:], words, weights, strict=False):
            _draw_word(panel, picture, heat)
            panel.set_title(figures.shorten(word, width))


def _draw_word(panel, picture, heat):
    """The image in gray, and over it the heat of one word."""
    height, width = picture.shape[:2]
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    gray = picture.mean(axis=-1)
    panel.imshow(gray, cmap="gray", vmin=0, vmax=255, extent=extent)
    panel.imshow(
        heat / max(float(np.max(heat)), 1e-9),
        cmap=image_plots.glow(),
        vmin=0,
        vmax=1,
        extent=extent,
        interpolation="bilinear",
    )
