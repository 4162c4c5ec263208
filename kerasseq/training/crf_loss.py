"""Loss and accuracy of a linear chain of labels."""

import keras
from keras import ops

from kerasseq.ops import best_path
from kerasseq.training import masked_sums


@keras.saving.register_keras_serializable(package="kerasseq")
class CRFLoss(keras.losses.Loss):
    """Negative log-likelihood of the labels of a sequence, per label.

    Takes what `kerasseq.layers.CRF` returns. The loss of a label is minus its
    log-probability given the label before; those of a sequence add up to minus the
    log-probability of all its labels. The default reduction divides by the sum of the
    sample weights: with 1 for labels and 0 for padding, the mean per label.

    Args:
        reduction: Reduction of `keras.losses.Loss`. Defaults to
            `"mean_with_sample_weight"`.
        name: Name of the loss.

    Call arguments:
        y_true: Integer labels of shape `(batch_size, length)`.
        y_pred: Log-probabilities `(batch_size, length, num_labels, num_labels)`.
        sample_weight: Optional weights of shape `(batch_size, length)` or
            `(batch_size,)`.

    Raises:
        ValueError: If the shapes do not match.

    Example:

    ```python
    model.compile(
        optimizer="adam",
        loss=kerasseq.training.CRFLoss(),
        weighted_metrics=[kerasseq.training.CRFAccuracy()],
        jit_compile=True,
    )
    ```

    Reference:
        Lafferty, McCallum and Pereira (2001), Conditional Random Fields, section 3.
    """

    def __init__(self, reduction="mean_with_sample_weight", name="crf_loss"):
        super().__init__(name=name, reduction=reduction, dtype="float32")

    def __call__(self, y_true, y_pred, sample_weight=None):
        weights = _label_weights(y_true, y_pred, sample_weight)
        return super().__call__(y_true, y_pred, weights)

    def call(self, y_true, y_pred):
        labels = ops.cast(y_true, "int32")
        before = ops.pad(labels[:, :-1], [[0, 0], [1, 0]])
        chosen = ops.logical_and(
            ops.expand_dims(_chosen(before, y_pred), -1),
            ops.expand_dims(_chosen(labels, y_pred), -2),
        )
        losses = -ops.sum(ops.where(chosen, y_pred, 0.0), axis=(-2, -1))
        return masked_sums.bounded(losses)

    def get_config(self):
        return {"reduction": self.reduction, "name": self.name}


@keras.saving.register_keras_serializable(package="kerasseq")
class CRFAccuracy(keras.metrics.MeanMetricWrapper):
    """Fraction of the labels that the most probable sequence has right.

    Args:
        name: Name of the metric.
        dtype: Dtype of the result.

    Call arguments:
        y_true: Integer labels of shape `(batch_size, length)`.
        y_pred: Log-probabilities `(batch_size, length, num_labels, num_labels)`, from
            `kerasseq.layers.CRF`.
        sample_weight: Optional weights of shape `(batch_size, length)` or
            `(batch_size,)`.

    Example:
        >>> metric = kerasseq.training.CRFAccuracy()
        >>> metric([[0, 0]], np.log([[[[0.9, 0.1]] * 2, [[0.2, 0.8]] * 2]]))
        0.5
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(_hits, name, dtype)
        self._direction = "up"  # `EarlyStopping(mode="auto")` reads it

    def update_state(self, y_true, y_pred, sample_weight=None):
        weights = _label_weights(y_true, y_pred, sample_weight)
        return super().update_state(y_true, y_pred, weights)

    def get_config(self):
        return keras.metrics.Metric.get_config(self)


def _hits(y_true, y_pred):
    labels, path = ops.cast(y_true, "int32"), best_path(ops.cast(y_pred, "float32"))
    return ops.cast(ops.equal(labels, path), "float32")


def _label_weights(y_true, y_pred, sample_weight):
    """As of other losses, of labels given the first label."""
    y_pred = ops.convert_to_tensor(y_pred)
    one = y_pred[..., 0, :] if len(y_pred.shape) == 4 else y_pred[..., None]
    return masked_sums.label_weights(y_true, one, sample_weight)


def _chosen(labels, y_pred):
    names = ops.arange(y_pred.shape[-1], dtype="int32")
    return ops.equal(names, ops.expand_dims(labels, -1))
