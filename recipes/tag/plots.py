"""The pictures of a run of `recipes.tag`."""

from recipes.shared import image_plots


def draw(data, results, folder):
    """Draws which tag is taken for which.

    Args:
        data: The loaded data.
        results: What `evaluate` returned.
        folder: Where the picture goes, a `pathlib.Path`.

    Returns:
        The names of the files.
    """
    names = data["features"].tags
    numbers = {tag: number for number, tag in enumerate(names)}
    pairs = [
        (numbers[truth], numbers[tag])
        for (_, tags), found in zip(
            data["sentences"].test, results["tags"], strict=True
        )
        for truth, tag in zip(tags, found, strict=False)
        if truth in numbers
    ]
    truth, predicted = zip(*pairs, strict=True)
    image_plots.draw_confusion(folder / "confusion.png", truth, predicted, names)
    return ["confusion.png"]
