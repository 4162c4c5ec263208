"""How far a model's confidence is from its accuracy."""

import keras
from keras import ops

from kerasseq.training import masked_sums


@keras.saving.register_keras_serializable(package="kerasseq")
class ExpectedCalibrationError(keras.metrics.Metric):
    """Mean difference between the confidence of a model and its accuracy.

    Predictions are sorted by confidence, their largest probability, into `num_bins`
    bins of equal width, `((b - 1) / num_bins, b / num_bins]`. In each bin the mean
    confidence is compared with the accuracy. The result is the mean of the absolute
    differences, weighted by the number of predictions per bin; 0 without any
    prediction.

    The attribute `bins`, of shape `(3, num_bins)`, holds the sums per bin: weights,
    confidence, correct predictions. Divide the last two rows by the first for a
    reliability diagram.

    Args:
        num_bins: Number of bins. Defaults to 15, as in the paper.
        ignore_class: Optional label that is not counted, such as 255.
        name: Name of the metric. Defaults to `"expected_calibration_error"`.
        dtype: Dtype of the state. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Integer labels of shape `(batch_size,)`, or masks of shape
            `(batch_size, height, width)`.
        y_pred: Logits with one more axis than the labels, of size `num_classes`.
        sample_weight: Optional weights of the labels' shape or `(batch_size,)`.

    Raises:
        ValueError: If `num_bins` is less than 1, or if the shapes do not match.

    Example: confident in two predictions, one of them correct.

    >>> metric = kerasseq.training.ExpectedCalibrationError()
    >>> float(metric(np.array([0, 1]), np.array([[99.0, 0.0], [99.0, 0.0]])))
    0.5

    Reference:
        [Guo et al., 2017](https://arxiv.org/abs/1706.04599), section 2.
    """

    def __init__(
        self,
        num_bins=15,
        ignore_class=None,
        name="expected_calibration_error",
        dtype=None,
    ):
        if num_bins < 1:
            raise ValueError(
                f"`num_bins` must be at least 1. Received: num_bins={num_bins}"
            )
        super().__init__(name=name, dtype=dtype)
        # `EarlyStopping(mode="auto")` reads it.
        self._direction = "down"
        self.num_bins = num_bins
        self.ignore_class = ignore_class
        self.bins = self.add_variable((3, num_bins), "zeros", name="bins")

    def update_state(self, y_true, y_pred, sample_weight=None):
        weights = masked_sums.label_weights(
            y_true, y_pred, sample_weight, self.ignore_class
        )
        confidence = ops.max(ops.softmax(ops.cast(y_pred, "float32")), axis=-1)
        labels = ops.convert_to_tensor(y_true, "int32")
        correct = ops.cast(ops.argmax(y_pred, axis=-1), "int32") == labels
        numbers = ops.cast(ops.ceil(confidence * self.num_bins), "int32") - 1
        numbers = ops.clip(numbers, 0, self.num_bins - 1)
        members = ops.one_hot(numbers, self.num_bins, dtype="float32")
        axes = tuple(range(len(labels.shape)))
        parts = [weights, weights * confidence, weights * ops.cast(correct, "float32")]
        sums = [ops.sum(members * ops.expand_dims(p, -1), axis=axes) for p in parts]
        self.bins.assign_add(ops.cast(ops.stack(sums), self.bins.dtype))

    def result(self):
        weights, confidence, correct = ops.unstack(ops.convert_to_tensor(self.bins))
        gaps = ops.sum(ops.absolute(confidence - correct))
        return ops.divide_no_nan(gaps, ops.sum(weights))

    def get_config(self):
        return {
            "num_bins": self.num_bins,
            "ignore_class": self.ignore_class,
            **super().get_config(),
        }
