"""Losses and metrics in plain NumPy, float64 throughout, for comparison.

Each takes integer `labels`, `logits` with one axis more and `weights` of the labels'
shape, and returns one number. What has weight 0 may hold any label. Written for
reading: one line an equation.
"""

import itertools

import numpy as np
from reference import softmax
from scipy.ndimage import binary_erosion


def one_hot(labels, logits):
    """float64 `(..., num_classes)`, all zeros for a label outside the classes."""
    return (labels[..., None] == np.arange(logits.shape[-1])).astype("float64")


def log_softmax(logits):
    logits = logits.astype("float64")
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def weighted_mean(values, weights):
    return np.sum(values * weights) / np.sum(weights)


def focal_loss(labels, logits, weights, gamma=2.0, alpha=1.0, label_smoothing=0.0):
    """Lin et al. (2017), equation 5, with labels smoothed over what is not masked."""
    truth = one_hot(labels, logits)
    possible = logits > -1e9
    rate = label_smoothing / possible.sum(-1, keepdims=True)
    truth = (1 - label_smoothing) * truth + rate * possible
    log_p = np.where(truth > 0, log_softmax(logits), 0.0)
    factors = np.asarray(alpha) * (1 - np.exp(log_p)) ** gamma
    return weighted_mean(np.sum(-truth * factors * log_p, axis=-1), weights)


def cross_entropy(labels, logits, weights, label_smoothing=0.0):
    """Szegedy et al. (2016), section 7."""
    return focal_loss(labels, logits, weights, 0.0, 1.0, label_smoothing)


def accuracy(labels, logits, weights):
    return weighted_mean(logits.argmax(-1) == labels, weights)


def path_scores(labels, log_probabilities):
    """Of each label given the one before; at the first step all rows are alike."""
    before = np.pad(labels[:, :-1], [(0, 0), (1, 0)])
    rows, steps = np.indices(labels.shape)
    return log_probabilities[rows, steps, before, labels]


def crf_loss(labels, log_probabilities, weights):
    """Lafferty et al. (2001), section 3, as the chain of conditionals that it is."""
    return weighted_mean(-path_scores(labels, log_probabilities), weights)


def crf_accuracy(labels, log_probabilities, weights):
    """Of the best among all paths, one by one."""
    num_rows, length, num_labels, _ = log_probabilities.shape
    paths = itertools.product(range(num_labels), repeat=length)
    paths = np.array([np.broadcast_to(path, (num_rows, length)) for path in paths])
    scores = [path_scores(path, log_probabilities).sum(-1) for path in paths]
    best = paths[np.argmax(scores, axis=0), np.arange(num_rows)]
    return weighted_mean(best == labels, weights)


def calibration_error(labels, logits, weights, num_bins=15):
    """Guo et al. (2017), equation 3."""
    confidence, right = softmax(logits).max(-1), logits.argmax(-1) == labels
    error = 0.0
    for number in range(num_bins):
        low, high = number / num_bins, (number + 1) / num_bins
        inside = weights * ((low < confidence) & (confidence <= high))
        error += abs(np.sum(inside * (right - confidence)))
    return error / np.sum(weights)


def pinball(values, forecasts, weights, quantiles):
    """Koenker and Bassett (1978), a mean over the quantiles."""
    errors = values[..., None] - forecasts.astype("float64")
    losses = np.where(errors > 0, quantiles, np.subtract(quantiles, 1)) * errors
    return weighted_mean(losses.mean(-1), weights)


def regions(truth, prediction, weights):
    """For each class the sums of the intersection and of both regions."""
    parts = (truth * prediction, truth, prediction)
    axes = tuple(range(weights.ndim))
    return [np.sum(weights[..., None] * part, axis=axes) for part in parts]


def dice(both, truth, prediction):
    return 2 * both / (truth + prediction)


def jaccard(both, truth, prediction):
    return both / (truth + prediction - both)


def region_loss(score, labels, logits, weights):
    """One less the soft `score`, a mean over the classes of the labels."""
    sums = regions(one_hot(labels, logits), softmax(logits), weights)
    present = sums[1] > 0
    return np.mean(1 - score(*(part[present] for part in sums)))


def per_image(loss):
    """`loss` of each image; their mean, weighted by the mean of what counts in each."""

    def of_images(labels, logits, weights):
        rows = list(zip(labels, logits, weights, strict=True))
        losses = [loss(*(part[None] for part in row)) for row in rows]
        image_weights = [row[2][row[2] > 0].mean() for row in rows]
        return np.average(losses, weights=image_weights)

    return of_images


def region_score(score, labels, logits, weights, class_index=None):
    """The `score` of pooled regions, a mean over the classes that are anywhere."""
    prediction = one_hot(logits.argmax(-1), logits)
    sums = regions(one_hot(labels, logits), prediction, weights)
    if class_index is not None:
        return score(*(part[class_index] for part in sums))
    present = sums[1] + sums[2] > 0
    return np.mean(score(*(part[present] for part in sums)))


def boundary_iou(labels, logits, weights, width=2):
    """Cheng et al. (2021), section 4: `jaccard` of bands along the regions' edges.

    Where there is no weight because the label is outside the classes, the prediction
    stands in for it.
    """
    predicted, known = logits.argmax(-1), labels < logits.shape[-1]
    pair = np.where(known, labels, predicted), predicted
    bands = [_bands(one_hot(classes, logits) > 0, width) for classes in pair]
    sums = regions(*bands, weights)
    present = sums[1] + sums[2] > 0
    return np.mean(jaccard(*(part[present] for part in sums)))


def _bands(masks, width):
    """Each region less its erosion, `(batch_size, height, width, num_classes)`."""
    inside = np.zeros_like(masks)
    square = np.ones((2 * width + 1, 2 * width + 1), bool)
    for image, number in np.ndindex(len(masks), masks.shape[-1]):
        region = masks[image, ..., number]
        inside[image, ..., number] = binary_erosion(region, square)
    return (masks & ~inside).astype("float64")


def inverse_square_root(step, peak, warmup_steps):
    """Vaswani et al. (2017), equation 3, from step 1 on."""
    step = max(step, 1)
    return peak * min(step / warmup_steps, (warmup_steps / step) ** 0.5)
