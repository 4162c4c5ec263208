"""Pictures of what a segmenter does."""

import numpy as np

from recipes.shared import figures, masks

# Told apart by the color-blind, and by brightness.
ERRORS = {
    "missed": (0, 114, 178),
    "false alarm": (213, 94, 0),
    "wrong class": (204, 121, 167),
}
PANEL = 1.75


def draw_masks(
    path,
    images,
    truth,
    predicted,
    class_names,
    ignore_class=None,
    *,
    background=0,
    title=None,
):
    """Draws images with their true mask, the predicted one, and the errors.

    Args:
        path: Path of the PNG.
        images: Array `(num, height, width, channels)`, 0 to 255; a row each.
        truth: Integer masks `(num, height, width)`.
        predicted: Likewise.
        class_names: List of names, one for each class.
        ignore_class: The number in `truth` that does not count, or `None`.
        background: The class that means "nothing there": another class predicted
            there is a false alarm, and the other way round missed. `None` if there
            is none; then all errors are of the wrong class.
        title: Title of the picture.
    """
    images, truth, predicted = map(np.asarray, (images, truth, predicted))
    scores = image_ious(truth, predicted, len(class_names), ignore_class)
    width, height = figures.panel_size(images, PANEL)
    legends = _legends(truth, predicted, class_names, ignore_class, background)
    size = (4 * (width + 0.08), len(images) * (height + 0.25) + 0.2)
    extra = 0.25 * bool(title) + 0.1 * (max(map(len, legends)) + 1)
    with figures.figure(path, max(size[0], 6.5), size[1] + extra) as drawn:
        if title:
            drawn.suptitle(title)
        for row, grid in enumerate(figures.panels(drawn, len(images), 4)):
            errors = error_kinds(truth[row], predicted[row], ignore_class, background)
            shown = (
                masks.rgb(images[row]),
                _colored(truth[row], class_names, ignore_class),
                _colored(predicted[row], class_names, None),
                _error_map(images[row], errors, truth[row], ignore_class),
            )
            heads = ["image", "truth", "prediction, ", "errors, "]
            heads = heads if not row else ["", "", "", ""]
            heads[2] += f"IoU {scores[row]:.2f}"
            num_counted = np.sum(truth[row] != ignore_class)
            heads[3] += f"{(errors > 0).sum() / max(num_counted, 1):.1%}"
            for axes, picture, head in zip(grid, shown, heads, strict=True):
                axes.imshow(picture, interpolation="antialiased")
                axes.set_title(head)
        for side, patches in zip(("left", "right"), legends, strict=True):
            place = {"loc": f"outside lower {side}", "ncols": 2, "fontsize": 8}
            drawn.legend(handles=patches, **place)


def draw_worst_masks(
    path, images, truth, predicted, class_names, ignore_class=None, *, count=4, **kwargs
):
    """Draws the images with the lowest IoU, worst first; see `draw_masks`.

    Args:
        count: Number of images at most.
        **kwargs: Passed on to `draw_masks`, whose other arguments are the same.

    Returns:
        The indices of the images drawn.
    """
    images, truth, predicted = map(np.asarray, (images, truth, predicted))
    scores = image_ious(truth, predicted, len(class_names), ignore_class)
    chosen = np.argsort(scores, kind="stable")[:count]  # NaN comes last
    title = kwargs.pop("title", "Images with the lowest IoU")
    rows = (images[chosen], truth[chosen], predicted[chosen])
    draw_masks(path, *rows, class_names, ignore_class, title=title, **kwargs)
    return chosen.tolist()


def draw_heads(path, images, outputs, targets=None, num_classes=None):
    """Draws the outputs of each head of a model.

    Args:
        path: Path of the PNG.
        images: Array `(num, height, width, channels)`, 0 to 255; a row each.
        outputs: Dict from a head's name to an array: integers `(num, height, width)`
            are masks; floats `(num, height, width)` or `(num, height, width, 1)` are
            shown from their lowest to their highest value (0 to 1 where they lie
            there); `(num, height, width, 3)` are images, 0 to 255.
        targets: Dict of the same form, for all heads or some, shown before the output.
        num_classes: Classes of the masks; the highest number by default.
    """
    columns = [("image", np.asarray(images), None)]
    for name, output in outputs.items():
        given = (targets or {}).get(name)
        pair = [(f"{name}, truth", given)] if given is not None else []
        pair = [(head, np.asarray(x)) for head, x in (*pair, (name, output))]
        scale = _scale([x for _, x in pair], num_classes)
        columns += [(head, x, scale) for head, x in pair]
    width, height = figures.panel_size(columns[0][1], 1.6)
    size = (len(columns) * (width + 0.08), len(images) * (height + 0.06) + 0.3)
    with figures.figure(path, *size) as drawn:
        grid = figures.panels(drawn, len(images), len(columns))
        for column, (head, values, scale) in enumerate(columns):
            grid[0, column].set_title(figures.shorten(head, width))
            for axes, value in zip(grid[:, column], values, strict=True):
                _show_value(axes, value, scale)


def image_ious(truth, predicted, num_classes, ignore_class=None):
    """The IoU of each image, a mean over the classes that are there.

    Args:
        truth: Integer masks `(num, height, width)`.
        predicted: Likewise.
        num_classes: Number of classes.
        ignore_class: The number in `truth` that does not count, or `None`.

    Returns:
        float64 array `(num,)`, NaN for an image without a pixel that counts.
    """
    counted = (
        np.ones(truth.shape, bool) if ignore_class is None else (truth != ignore_class)
    )
    total, present = np.zeros(len(truth)), np.zeros(len(truth))
    for number in range(num_classes):
        a, b = (truth == number) & counted, (predicted == number) & counted
        union = (a | b).sum(axis=(1, 2))
        total += (a & b).sum(axis=(1, 2)) / np.maximum(union, 1)
        present += union > 0
    return np.divide(total, present, out=np.full(len(truth), np.nan), where=present > 0)


def error_kinds(truth, predicted, ignore_class=None, background=0):
    """Numbers of `ERRORS`, 1 and up, for each pixel; 0 where there is no error."""
    wrong = truth != predicted
    if ignore_class is not None:
        wrong &= truth != ignore_class
    kinds = [predicted == background, truth == background]
    return np.select([~wrong, *kinds], [0, 1, 2], 3)


def _error_map(image, errors, truth, ignore_class):
    """The image, pale and gray, with the errors in color."""
    gray = masks.rgb(image).mean(axis=-1, keepdims=True)
    shown = np.repeat(0.55 * gray + 0.45 * 255, 3, axis=-1)
    if ignore_class is not None:
        shown[truth == ignore_class] = masks.VOID
    for number, color in enumerate(ERRORS.values(), 1):
        shown[errors == number] = color
    return np.rint(shown).astype("uint8")


def _colored(mask, class_names, ignore_class):
    if ignore_class is not None:
        mask = np.where(mask == ignore_class, -1, mask)
    return masks.colors_of(mask, len(class_names))


def _legends(truth, predicted, class_names, ignore_class, background):
    """Patches of the classes to be seen, and of the kinds of error."""
    from matplotlib.patches import Patch

    def patch(color, name):
        color = np.array(color) / 255
        return Patch(facecolor=color, edgecolor="gray", linewidth=0.5, label=name)

    there = {*np.unique(truth), *np.unique(predicted)}
    classes = []
    for number, color in enumerate(masks.palette(len(class_names))):
        if number in there and number != ignore_class:
            name = figures.shorten(class_names[number], 1.3, 8)
            classes.append(patch(color, name))
    if ignore_class is not None and ignore_class in there:
        classes.append(patch(masks.VOID, "not counted"))
    there = set(np.unique(error_kinds(truth, predicted, ignore_class, background)))
    errors = [
        patch(color, f"error: {name}")
        for number, (name, color) in enumerate(ERRORS.items(), 1)
        if number in there
    ]
    return classes, errors


def _scale(arrays, num_classes):
    """Classes of masks, `(low, high)` of maps, `None` of images."""
    if np.issubdtype(arrays[0].dtype, np.integer) and arrays[0].ndim == 3:
        return num_classes or max(int(x.max()) for x in arrays) + 1
    if arrays[0].ndim == 4 and arrays[0].shape[-1] == 3:
        return None
    low, high = min(x.min() for x in arrays), max(x.max() for x in arrays)
    return (0, 1) if low >= 0 and high <= 1 else (low, high)


def _show_value(axes, value, scale):
    if scale is None:
        axes.imshow(masks.rgb(value))
    elif isinstance(scale, tuple):
        value = np.asarray(value, "float32").reshape(value.shape[:2])
        axes.imshow(value, cmap="viridis", vmin=scale[0], vmax=scale[1])
    else:
        axes.imshow(masks.colors_of(value, scale), interpolation="nearest")
