"""Pictures of what a classifier or an image-to-image model does."""

import math

import numpy as np

from recipes.shared import figures, masks

MAX_CLASSES = 40
NUM_CONFUSIONS = 20
_BLUE = "#0072b2"


def draw_confusion(path, truth, predicted, class_names):
    """Draws which class is taken for which.

    Up to `MAX_CLASSES` classes as a matrix of counts, colored by the fraction of
    the true class; of more classes the most frequent confusions as bars.

    Args:
        path: Path of the PNG.
        truth: True class numbers, integers `(num,)`.
        predicted: Predicted class numbers, likewise.
        class_names: List of names, one for each class.
    """
    from sklearn import metrics

    labels = range(len(class_names))
    counts = metrics.confusion_matrix(truth, predicted, labels=labels)
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    right = np.trace(counts) / max(counts.sum(), 1)
    title = f"{right:.1%} of {counts.sum():,} right"
    names = [figures.shorten(name, 1.8) for name in class_names]
    if len(names) > MAX_CLASSES:
        _draw_confused_pairs(path, counts, fractions, names, title)
    else:
        _draw_matrix(path, counts, fractions, names, title)


def _draw_matrix(path, counts, fractions, names, title):
    num = len(names)
    cell, font = (0.44, 8) if num <= 12 else (0.27, 6)
    margin = 0.08 * max(map(len, names))
    size = (cell * num + margin + 1.3, cell * num + margin + 0.7)
    with figures.figure(path, *size) as drawn:
        axes = drawn.subplots()
        image = axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(num), names, **_turned(names))
        axes.set_yticks(range(num), names)
        axes.set_xticks(np.arange(num + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(num + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="#dddddd", linewidth=0.5)
        axes.tick_params(which="minor", length=0)
        axes.set(xlabel="predicted", ylabel="true", title=title)
        for row, column in np.argwhere(counts):
            color = "white" if fractions[row, column] > 0.5 else "black"
            options = {"ha": "center", "va": "center", "fontsize": font}
            text = _short_number(counts[row, column])
            axes.text(column, row, text, color=color, **options)
        shape = {"fraction": 0.05, "pad": 0.02, "shrink": min(1, 3 / (cell * num))}
        bar = drawn.colorbar(image, **shape)
        bar.set_label("fraction of the true class" if num > 3 else "fraction")


def _turned(names):
    """How labels below an axis are turned so that they do not touch."""
    if max(map(len, names)) <= 2:
        return {}
    if len(names) > 12:
        return {"rotation": 90}
    return {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}


def _short_number(count):
    """At most four characters, so that it fits into a cell."""
    if count < 10_000:
        return str(count)
    return f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1e6:.0f}M"


def _draw_confused_pairs(path, counts, fractions, names, title):
    wrong = counts * (1 - np.eye(len(names), dtype=counts.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:NUM_CONFUSIONS]
    pairs = np.stack(np.unravel_index(order, wrong.shape), axis=1)
    pairs = [(row, column) for row, column in pairs if wrong[row, column]]
    if not pairs:
        _draw_note(path, f"{title}: no class is taken for another")
        return
    with figures.figure(path, 7, 0.26 * len(pairs) + 1.0) as drawn:
        axes = drawn.subplots()
        bars = axes.barh(range(len(pairs)), [wrong[x] for x in pairs], color=_BLUE)
        texts = [f"{fractions[x]:.0%} of {counts[x[0]].sum():,}" for x in pairs]
        axes.bar_label(bars, texts, padding=3, fontsize=8)
        labels = [f"{names[row]} taken for {names[column]}" for row, column in pairs]
        axes.set_yticks(range(len(pairs)), labels)
        axes.invert_yaxis()
        axes.margins(x=0.15, y=0.02)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("images, and their fraction of the true class")
        drawn.suptitle(f"{title}; the most frequent confusions")


def _draw_note(path, text):
    with figures.figure(path, 5, 0.8) as drawn:
        axes = figures.panels(drawn, 1, 1)[0, 0]
        axes.text(0.5, 0.5, text, ha="center", va="center")


def draw_worst(path, images, truth, probabilities, class_names, count=12):
    """Draws the errors of which the model is most confident.

    Args:
        path: Path of the PNG.
        images: Array `(num, height, width, channels)`, 0 to 255.
        truth: True class numbers, integers `(num,)`.
        probabilities: Array `(num, num_classes)`.
        class_names: List of names, one for each class.
        count: Number of images at most.

    Returns:
        The indices of the images drawn, most confident first.
    """
    probabilities, truth = np.asarray(probabilities), np.asarray(truth)
    predicted, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    chosen = wrong[np.argsort(-sure[wrong], kind="stable")][:count]
    if not len(chosen):
        _draw_note(path, f"No error among {len(truth):,} images")
        return []
    width, height = figures.panel_size(images, 1.5)
    columns = min(len(chosen), 6 if len(chosen) > 8 else 4)
    rows = math.ceil(len(chosen) / columns)
    size = (max(columns * (width + 0.12), 4.2), rows * (height + 0.45) + 0.4)
    with figures.figure(path, *size) as drawn:
        drawn.suptitle("Most confident errors: predicted class, true class")
        grid = figures.panels(drawn, rows, columns)
        for axes, index in zip(grid.flat, chosen, strict=False):
            axes.imshow(masks.rgb(images[index]))
            name = figures.shorten(class_names[predicted[index]], width - 0.32, 8)
            real = figures.shorten(class_names[truth[index]], width - 0.32, 8)
            text = f"{name} {sure[index]:.0%}\ntrue: {real}"
            axes.set_title(text, fontsize=8)
    return chosen.tolist()


def draw_heat(path, images, heat, titles):
    """Draws images, and beside each one its heat map laid over it.

    Args:
        path: Path of the PNG.
        images: Array `(num, height, width, channels)`, 0 to 255.
        heat: Array `(num, height, width)`, 0 to 1.
        titles: List of texts, one over each image.
    """
    width, height = figures.panel_size(images, 1.6)
    pairs = min(len(images), 2 if len(images) <= 4 else 3)
    rows = math.ceil(len(images) / pairs)
    size = (2 * pairs * (width + 0.08) + 0.6, rows * (height + 0.3) + 0.1)
    with figures.figure(path, *size) as drawn:
        grid = figures.panels(drawn, rows, 2 * pairs)
        for index, (image, title) in enumerate(zip(images, titles, strict=True)):
            left = grid[index // pairs, 2 * (index % pairs)]
            right = grid[index // pairs, 2 * (index % pairs) + 1]
            picture = masks.rgb(image)
            left.imshow(picture)
            left.set_title(figures.shorten(title, width))
            right.imshow(picture.mean(axis=-1), cmap="gray", vmin=0, vmax=255)
            shown = right.imshow(heat[index], cmap=glow(), vmin=0, vmax=1)
        shape = {"fraction": 0.02, "pad": 0.01, "shrink": 0.8, "aspect": 12 * rows}
        bar = drawn.colorbar(shown, ax=grid, **shape)
        bar.set_ticks([0, 1], labels=["low", "high"])


def glow():
    """A color map from clear, where the image is seen, to bright yellow."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    steps = np.linspace(0, 1, 256)
    colors = matplotlib.colormaps["inferno"](steps)
    colors[:, 3] = 0.8 * np.sqrt(steps)
    return ListedColormap(colors)


def draw_regression(path, images, outputs, targets=None):
    """Draws the input of an image-to-image model beside its output.

    Args:
        path: Path of the PNG.
        images: Inputs, `(num, height, width, channels)`, 0 to 255.
        outputs: Outputs, likewise.
        targets: What the outputs should be, likewise. If `None`, they are compared
            with the inputs.
    """
    given = {"input": images, "output": outputs}
    if targets is not None:
        given["target"] = targets
    width, height = figures.panel_size(images, 2.0)
    size = (len(given) * (width + 0.1), len(images) * (height + 0.3) + 0.1)
    with figures.figure(path, *size) as drawn:
        grid = figures.panels(drawn, len(images), len(given))
        goals = images if targets is None else targets
        for row, goal in zip(range(len(images)), goals, strict=True):
            for axes, (name, values) in zip(grid[row], given.items(), strict=True):
                axes.imshow(masks.rgb(values[row]))
                compared = name != "target" and values is not goals
                text = f", PSNR {psnr(values[row], goal):.1f} dB" if compared else ""
                axes.set_title(name + text)


def psnr(found, expected, peak=255.0):
    """Peak signal-to-noise ratio in decibels; infinite where nothing differs."""
    error = np.mean((np.asarray(found, "float64") - np.asarray(expected)) ** 2)
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)
