"""Scores of a whole split, for the outputs of a model and of its exported files."""

import math

import numpy as np

import kerasseq

CHUNK = 64
VOID = 255
IN_SUMMARY = ("iou", "iou_per_image", "mean_iou", "boundary_iou", "pixel_accuracy")
IN_SUMMARY += ("edges_iou", "mask_pixels_as_keras", "ms_per_image")


def scores(found, truth, num_classes, ignore_class=None):
    """Scores of all heads.

    Args:
        found: `{head: array}`, class numbers `(num, height, width)` for class heads and
            values `(num, height, width, channels)` for others.
        truth: Likewise.
        num_classes: `{head: channels}`.
        ignore_class: The void label.

    Returns:
        A dict of numbers; those of `mask` have no prefix, others that of their head.
    """
    result = {}
    for head, output in found.items():
        if output.dtype.kind == "i":
            args = output, truth[head], num_classes[head], ignore_class
            part = class_scores(*args)
        else:
            part = value_scores(output, truth[head], head)
        prefix = "" if head == "mask" else f"{head}_"
        result |= {f"{prefix}{name}": value for name, value in part.items()}
    return result


def class_scores(found, truth, num_classes, ignore_class=None):
    """Scores of predicted masks, by the metrics of `kerasseq.training`.

    `iou`, `dice` and `boundary_iou` are of the foreground: the mean over the classes
    but class 0. Pixels are pooled over the set, but for `iou_per_image`, the mean of
    the images' own IoU; images with no foreground in either mask do not count there.

    Args:
        found: Predicted class numbers, `(num, height, width)`.
        truth: Masks, likewise.
        num_classes: Number of classes.
        ignore_class: The void label.

    Returns:
        A dict of floats.
    """
    training = kerasseq.training
    regions = training.MeanIoU(num_classes, ignore_class)
    borders = training.BoundaryIoU(num_classes, ignore_class=ignore_class)
    accuracy = training.PixelAccuracy(ignore_class)
    one_hot = np.eye(num_classes, dtype="float32")
    sums, bands = [], np.zeros((3, num_classes))
    for mask, predicted in zip(truth, found, strict=True):
        regions.reset_state()
        regions.update_state(mask[None], one_hot[predicted[None]])
        sums.append(np.array(regions.sums))
    # Counts of single images are exact; those of a set may not fit float32.
    sums = np.array(sums, "float64")
    for first in range(0, len(truth), CHUNK):
        part = slice(first, first + CHUNK)
        borders.reset_state()
        borders.update_state(truth[part], one_hot[found[part]])
        bands += np.array(borders.sums)
        accuracy.update_state(truth[part], one_hot[found[part]])
    pooled = sums.sum(axis=0)
    return {
        "iou": _overlap(pooled),
        "iou_per_image": float(np.nanmean([_overlap(image) for image in sums])),
        "mean_iou": _overlap(pooled, background=True),
        "dice": _overlap(pooled, dice=True),
        "boundary_iou": _overlap(bands),
        "pixel_accuracy": float(accuracy.result()),
    }


def value_scores(found, truth, head):
    """Scores of regressed values; the peak of PSNR is the range of the truth."""
    peak = 2.0 if head == "reconstruction" else float(truth.max() - truth.min())
    difference = np.asarray(found, "float64") - truth
    squared = float(np.mean(difference**2))
    psnr = 10 * math.log10(peak**2 / squared) if squared and peak else math.inf
    return {
        "psnr": psnr,
        "rmse": math.sqrt(squared),
        "mae": float(np.mean(np.abs(difference))),
    }


def agreement(found, expected):
    """How far the outputs of a file are from those of the model, `{name: number}`."""
    result = {}
    for head, output in found.items():
        if output.dtype.kind == "i":
            same = float(np.mean(output == expected[head]))
            result[f"{head}_pixels_as_keras"] = same
        else:
            result[f"{head}_apart"] = float(np.max(np.abs(output - expected[head])))
    return result


def summary(found):
    """One line about the scores."""
    names = [name for name in found if name in IN_SUMMARY or name.endswith("_psnr")]
    return ", ".join(f"{name.replace('_', ' ')} {found[name]:.4f}" for name in names)


def iou(found, truth, num_classes, ignore_class=None):
    """The pooled IoU of the foreground as in `class_scores`, with NumPy alone.

    Args:
        found: Predicted class numbers, `(num, height, width)`.
        truth: Masks, likewise.
        num_classes: Number of classes.
        ignore_class: The void label.

    Returns:
        A float.
    """
    counted = truth != (-1 if ignore_class is None else ignore_class)
    classes = np.arange(num_classes)[:, None]
    is_truth = truth[counted] == classes
    is_found = found[counted] == classes
    sums = [(is_truth & is_found).sum(axis=1), is_truth.sum(axis=1)]
    return _overlap(np.array([*sums, is_found.sum(axis=1)], "float64"))


def _overlap(sums, background=False, dice=False):
    """IoU or Dice, a mean over the classes that are there; NaN without any."""
    intersection, truth, prediction = sums[:, 0 if background else 1 :]
    total = truth + prediction
    there = total > 0
    if not there.any():
        return math.nan
    if dice:
        return float(np.mean(2 * intersection[there] / total[there]))
    return float(np.mean((intersection / (total - intersection))[there]))
