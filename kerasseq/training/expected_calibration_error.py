"""Whether a model is as often right as it says."""

import keras
from keras import ops

from kerasseq.training import masked_sums


@keras.saving.register_keras_serializable(package="kerasseq")
class ExpectedCalibrationError(keras.metrics.Metric):
    """Mean gap between how sure a model is and how often it is right.

    Predictions are sorted by their confidence, the largest probability, into
    `num_bins` bins of equal width, `((b - 1) / num_bins, b / num_bins]`. The gap of
    a bin is the distance of its mean confidence from its share of right predictions;
    the result is the mean of the gaps, weighted by what is in the bins. Without any
    prediction it is 0.

    `bins` holds the sums of each bin, of shape `(3, num_bins)`: weights, confidence,
    right predictions. Divided by the first row, the others are the reliability
    diagram.

    Args:
        num_bins: Number of bins. Defaults to 15, as in the paper.
        ignore_class: Optional label whose pixels count nowhere, such as 255.
        name: Name of the metric. Defaults to `"expected_calibration_error"`.
        dtype: Dtype of the state. Defaults to `keras.config.floatx()`.

    Call arguments:
        y_true: Integer labels of shape `(batch_size,)`, or masks of shape
            `(batch_size, height, width)`.
        y_pred: Logits of the labels' shape and one axis more, `num_classes`.
        sample_weight: Optional weights of the labels' shape or `(batch_size,)`.

    Raises:
        ValueError: If `num_bins` is less than 1, or if the shapes do not fit each
            other.

    Example: sure of both, right with one.

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
        # Callbacks read it for `mode="auto"`.
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
        right = ops.cast(ops.argmax(y_pred, axis=-1), "int32") == labels
        numbers = ops.cast(ops.ceil(confidence * self.num_bins), "int32") - 1
        numbers = ops.clip(numbers, 0, self.num_bins - 1)
        members = ops.one_hot(numbers, self.num_bins, dtype="float32")
        axes = tuple(range(len(labels.shape)))
        parts = [weights, weights * confidence, weights * ops.cast(right, "float32")]
        sums = [ops.sum(members * ops.expand_dims(p, -1), axis=axes) for p in parts]
        self.bins.assign_add(ops.cast(ops.stack(sums), self.bins.dtype))

    def result(self):
        weights, confidence, right = ops.unstack(ops.convert_to_tensor(self.bins))
        gaps = ops.sum(ops.absolute(confidence - right))
        return ops.divide_no_nan(gaps, ops.sum(weights))

    def get_config(self):
        return {
            "num_bins": self.num_bins,
            "ignore_class": self.ignore_class,
            **super().get_config(),
        }
