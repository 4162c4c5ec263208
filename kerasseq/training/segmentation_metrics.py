"""Segmentation metrics: intersection over union, Dice score, pixel accuracy."""

import keras

from kerasseq.training import masked_sums
from kerasseq.training.region_metric import RegionMetric


@keras.saving.register_keras_serializable(package="kerasseq")
class MeanIoU(RegionMetric):
    """Intersection over union, averaged over the classes that occur.

    Pixels are pooled over all batches, then each class is scored once. A class that
    occurs neither in the labels nor in the predictions is left out of the mean.
    Without any pixel the result is 0, also for a `class_index` that never occurred.

    Keras' `MeanIoU` accepts no weights of shape `(batch_size,)`, rounds weights down
    to integers and counts predictions of an `ignore_class` inside the classes.

    Pass it as one of the `weighted_metrics`: Keras applies sample weights, including
    the zeros of rows that only fill up a batch, to no other metrics.

    Args:
        num_classes: Number of classes, the last axis of the logits.
        ignore_class: Optional label whose pixels are not counted, such as 255. It may
            lie outside the classes. A class inside is also left out of the mean.
        class_index: Optional integer. Returns the score of this class alone.
        name: Name of the metric. Defaults to `"mean_iou"`.
        dtype: Dtype of the state. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Integer masks of shape `(batch_size, height, width)`.
        y_pred: Logits of shape `(batch_size, height, width, num_classes)`.
        sample_weight: Optional weights of shape `(batch_size, height, width)` or
            `(batch_size,)`. Pixels of weight 0 are left out.

    Raises:
        ValueError: If `class_index` is not one of the classes, or if the shapes do
            not match each other or `num_classes`.

    Example: two of three classes occur, one of them half detected.

    >>> metric = kerasseq.training.MeanIoU(3)
    >>> float(metric(np.array([[[0, 1, 1]]]), np.eye(3)[[[[0, 1, 0]]]]))
    0.5
    """

    def __init__(
        self,
        num_classes,
        ignore_class=None,
        class_index=None,
        name="mean_iou",
        dtype=None,
    ):
        super().__init__(num_classes, ignore_class, class_index, name, dtype)

    def overlap(self, intersection, truth, prediction):
        return masked_sums.jaccard(intersection, truth, prediction)


@keras.saving.register_keras_serializable(package="kerasseq")
class DiceScore(RegionMetric):
    """Dice score, averaged over the classes that occur.

    The Dice score `2 |A and B| / (|A| + |B|)` of pooled pixels is their F1 score. With
    labels of shape `(batch_size,)` this metric is macro F1. Everything else is as in
    `MeanIoU`. Keras' `F1Score` needs one-hot labels and gives an absent class the
    score 0.

    Args:
        num_classes: Number of classes, the last axis of the logits.
        ignore_class: Optional label whose pixels are not counted, such as 255.
        class_index: Optional integer. Returns the score of this class alone.
        name: Name of the metric. Defaults to `"dice_score"`.
        dtype: Dtype of the state. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Integer masks of shape `(batch_size, height, width)`.
        y_pred: Logits of shape `(batch_size, height, width, num_classes)`.
        sample_weight: Optional weights of shape `(batch_size, height, width)` or
            `(batch_size,)`. Pixels of weight 0 are left out.

    Raises:
        ValueError: If `class_index` is not one of the classes, or if the shapes do
            not match each other or `num_classes`.

    Example:

    >>> metric = kerasseq.training.DiceScore(2, class_index=1)
    >>> float(metric(np.array([[[0, 1, 1, 1]]]), np.eye(2)[[[[0, 1, 1, 0]]]]))
    0.800000011920929
    """

    def __init__(
        self,
        num_classes,
        ignore_class=None,
        class_index=None,
        name="dice_score",
        dtype=None,
    ):
        super().__init__(num_classes, ignore_class, class_index, name, dtype)

    def overlap(self, intersection, truth, prediction):
        return masked_sums.dice(intersection, truth, prediction)


@keras.saving.register_keras_serializable(package="kerasseq")
class PixelAccuracy(keras.metrics.SparseCategoricalAccuracy):
    """Fraction of the pixels whose class is predicted correctly.

    Keras' `SparseCategoricalAccuracy` with a void label. Without any pixel the
    result is 0.

    Args:
        ignore_class: Optional label whose pixels are not counted, such as 255.
        name: Name of the metric. Defaults to `"pixel_accuracy"`.
        dtype: Dtype of the state. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Integer masks of shape `(batch_size, height, width)`.
        y_pred: Logits of shape `(batch_size, height, width, num_classes)`.
        sample_weight: Optional weights of shape `(batch_size, height, width)` or
            `(batch_size,)`. Pixels of weight 0 are left out.

    Raises:
        ValueError: If the shapes do not match.

    Example:

    >>> metric = kerasseq.training.PixelAccuracy(ignore_class=255)
    >>> float(metric(np.array([[[0, 1, 255]]]), np.eye(2)[[[[0, 0, 1]]]]))
    0.5
    """

    def __init__(self, ignore_class=None, name="pixel_accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.ignore_class = ignore_class

    def update_state(self, y_true, y_pred, sample_weight=None):
        weights = masked_sums.label_weights(
            y_true, y_pred, sample_weight, self.ignore_class
        )
        super().update_state(y_true, y_pred, weights)

    def get_config(self):
        return {"ignore_class": self.ignore_class, **super().get_config()}
