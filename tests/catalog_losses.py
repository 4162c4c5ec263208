"""The table of losses, metrics and schedules: all that `kerasseq.training` has.

`contract/test_losses.py` holds each entry to its promises, and fails when something
public is missing here. `reference_losses.py` says what each must compute.
"""

import functools
import typing

import numpy as np
import reference_losses as reference

from kerasseq import training

PROMISES = ("right", "compiles", "keeps", "weights", "void", "precision", "masked")
VOID, NUM_CLASSES = 255, 3
IMAGES, TOKENS, MASKS = (8,), (8, 6), (8, 6, 5)


class Entry(typing.NamedTuple):
    """One loss or metric in one configuration.

    `new()` makes it; `reference(labels, logits, weights)` computes the same in
    float64; `shape` is that of the labels, `class_axes` how many axes more the logits
    have; `excused` gives the reason for each promise that is not kept.
    """

    covers: str
    variant: str
    new: typing.Callable
    reference: typing.Callable
    shape: tuple = MASKS
    excused: dict = {}
    class_axes: int = 1

    @property
    def id(self):
        return f"{self.covers}_{self.variant}" if self.variant else self.covers

    @property
    def logits_shape(self):
        return (*self.shape, *[NUM_CLASSES] * self.class_axes)

    def batch(self, seed=0):
        """Labels (`VOID` among them unless excused), logits, and weights 0 to 3."""
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, NUM_CLASSES, self.shape).astype("int32")
        logits = rng.normal(0, 2, self.logits_shape).astype("float32")
        weights = rng.integers(0, 4, self.shape).astype("float32")
        if "void" not in self.excused:
            labels[rng.random(self.shape) < 0.2] = VOID
        return labels, logits, weights

    def expected(self, labels, logits, weights=None):
        """The number of the reference, where `VOID` has no weight."""
        weights = np.ones(labels.shape) if weights is None else weights
        return self.reference(labels, logits, np.where(labels == VOID, 0, weights))


def _class(name, variant, compute, shape=MASKS, excused=None, **options):
    """An entry of a class that leaves out `VOID`, unless excused."""
    excused = excused or {}
    if "void" not in excused:
        options["ignore_class"] = VOID
    new = functools.partial(getattr(training, name), **options)
    return Entry(name, variant, new, compute, shape, excused)


def _token_metric(name, compute):
    def new():
        return next(m for m in training.token_metrics() if m.name == name)

    return Entry("token_metrics", name, new, compute, TOKENS, NO_VOID)


def _chain(name, compute):
    """An entry of log-probabilities of each label given the one before."""
    new = getattr(training, name)
    return Entry(name, "", new, compute, TOKENS, IN_A_CHAIN, class_axes=2)


def _sum_of_losses():
    cross_entropy = training.FocalLoss(0.0, label_smoothing=0.1, ignore_class=VOID)
    parts = [cross_entropy, training.DiceLoss(ignore_class=VOID)]
    return training.SumOfLosses(parts, weights=[1.0, 0.5])


def _sum_of_references(labels, logits, weights):
    cross_entropy = reference.cross_entropy(labels, logits, weights, 0.1)
    dice = reference.region_loss(reference.dice, labels, logits, weights)
    return cross_entropy + 0.5 * dice


NO_VOID = {"void": "every token is a word; padding has the weight 0"}
IN_A_CHAIN = NO_VOID | {"masked": "a label without weight is before the next one"}
DICE, JACCARD = (
    functools.partial(reference.region_loss, score)
    for score in (reference.dice, reference.jaccard)
)
IOU, F1 = (
    functools.partial(reference.region_score, score)
    for score in (reference.jaccard, reference.dice)
)
ALPHA = [0.2, 0.3, 0.5]
QUANTILES = [0.1, 0.5, 0.8]  # of integers as values; a quantile for each class
PINBALL = functools.partial(reference.pinball, quantiles=QUANTILES)
OF_VALUES = {
    "void": "the labels are values, of which none is void",
    "masked": "there are no classes, and none can be masked",
}
FOCAL = functools.partial(reference.focal_loss, gamma=0.5, alpha=ALPHA)
SMOOTH_FOCAL = functools.partial(reference.focal_loss, label_smoothing=0.1)
SMOOTH_CROSS_ENTROPY = functools.partial(reference.cross_entropy, label_smoothing=0.1)

LOSSES = [
    _class("SmoothedCrossEntropy", "", SMOOTH_CROSS_ENTROPY, TOKENS, NO_VOID),
    _class(
        "SmoothedCrossEntropy",
        "not_smoothed",
        reference.cross_entropy,
        TOKENS,
        NO_VOID,
        label_smoothing=0.0,
    ),
    _class("FocalLoss", "", reference.focal_loss),
    _class("FocalLoss", "weighted", FOCAL, gamma=0.5, alpha=ALPHA),
    _class("FocalLoss", "smoothed", SMOOTH_FOCAL, IMAGES, label_smoothing=0.1),
    _class("FocalLoss", "cross_entropy", reference.cross_entropy, IMAGES, gamma=0.0),
    _class("DiceLoss", "", DICE),
    _class("DiceLoss", "per_image", reference.per_image(DICE), per_image=True),
    _class("SoftJaccard", "", JACCARD),
    _class("SoftJaccard", "per_image", reference.per_image(JACCARD), per_image=True),
    _chain("CRFLoss", reference.crf_loss),
    _class("PinballLoss", "", PINBALL, TOKENS, OF_VALUES, quantiles=QUANTILES),
    Entry("SumOfLosses", "", _sum_of_losses, _sum_of_references, MASKS),
]

METRICS = [
    _class("MeanIoU", "", IOU, num_classes=NUM_CLASSES),
    _class(
        "MeanIoU",
        "one_class",
        functools.partial(IOU, class_index=1),
        num_classes=NUM_CLASSES,
        class_index=1,
    ),
    _class("DiceScore", "", F1, num_classes=NUM_CLASSES),
    _class("DiceScore", "images", F1, IMAGES, num_classes=NUM_CLASSES),
    _class("PixelAccuracy", "", reference.accuracy),
    _class(
        "BoundaryIoU",
        "",
        functools.partial(reference.boundary_iou, width=1),
        num_classes=NUM_CLASSES,
        width=1,
    ),
    _class("ExpectedCalibrationError", "", reference.calibration_error),
    _class(
        "ExpectedCalibrationError",
        "images",
        functools.partial(reference.calibration_error, num_bins=5),
        IMAGES,
        num_bins=5,
    ),
    _chain("CRFAccuracy", reference.crf_accuracy),
    _token_metric("cross_entropy", reference.cross_entropy),
    _token_metric("accuracy", reference.accuracy),
]

SCHEDULES = {  # name: arguments, reference of a step and these arguments
    "InverseSquareRoot": (
        {"peak": 1e-3, "warmup_steps": 40},
        reference.inverse_square_root,
    ),
}


def keeping(promise, entries=None):
    """The entries that are not excused from a promise."""
    entries = [*LOSSES, *METRICS] if entries is None else entries
    return [entry for entry in entries if promise not in entry.excused]
