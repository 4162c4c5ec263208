"""The loss of forecasts of quantiles."""

import keras
from keras import ops

from kerasseq.training import masked_sums


@keras.saving.register_keras_serializable(package="kerasseq")
class PinballLoss(keras.losses.Loss):
    """Pinball loss of several quantiles of each value, their mean.

        loss = mean_q max(q (y - p_q), (q - 1) (y - p_q))

    with `p_q` the forecast of the quantile `q` of `y`. It is smallest where `y` lies
    below `p_q` with the probability `q`. The median alone, `quantiles=[0.5]`, has half
    the absolute error. The loss is computed in float32, whatever the dtype of the
    forecasts.

    The default reduction divides by the sum of the weights, so the result is a mean
    per value.

    Args:
        quantiles: List of floats between 0 and 1, in ascending order.
        reduction: Reduction of `keras.losses.Loss`. Defaults to
            `"mean_with_sample_weight"`.
        name: Name of the loss.

    Call arguments:
        y_true: Values of shape `(batch_size, ...)`.
        y_pred: Forecasts with one more axis, of the size of `quantiles`.
        sample_weight: Optional weights of the values' shape or with fewer axes, such
            as `(batch_size,)`.

    Raises:
        ValueError: If the quantiles are not between 0 and 1 and ascending, or the
            shapes do not match.

    Example:

    >>> loss = kerasseq.training.PinballLoss([0.1, 0.5])
    >>> float(loss(np.array([1.0]), np.array([[0.0, 3.0]])))  # 0.1 and 1.0
    0.55

    Reference:
        Koenker and Bassett (1978), Regression Quantiles.
    """

    def __init__(
        self, quantiles, reduction="mean_with_sample_weight", name="pinball_loss"
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.quantiles = [float(quantile) for quantile in quantiles]
        _check(self.quantiles)

    def __call__(self, y_true, y_pred, sample_weight=None):
        num_axes, num_quantiles = len(y_true.shape) + 1, len(self.quantiles)
        if len(y_pred.shape) != num_axes or y_pred.shape[-1] != num_quantiles:
            raise ValueError(
                "Forecasts must have the axes of the values and one more, that of the "
                f"quantiles. Received: y_true.shape={tuple(y_true.shape)}, "
                f"y_pred.shape={tuple(y_pred.shape)}, quantiles={self.quantiles}"
            )
        weights = masked_sums.label_weights(y_true, y_pred, sample_weight)
        return super().__call__(y_true, y_pred, weights)

    def call(self, y_true, y_pred):
        quantiles = ops.convert_to_tensor(self.quantiles, y_pred.dtype)
        errors = ops.expand_dims(ops.cast(y_true, y_pred.dtype), -1) - y_pred
        losses = ops.maximum(quantiles * errors, (quantiles - 1) * errors)
        return ops.mean(losses, axis=-1)

    def get_config(self):
        return {
            "quantiles": self.quantiles,
            "reduction": self.reduction,
            "name": self.name,
        }


def _check(quantiles):
    ascending = all(a < b for a, b in zip(quantiles, quantiles[1:], strict=False))
    if not quantiles or not all(0 < q < 1 for q in quantiles) or not ascending:
        raise ValueError(
            "`quantiles` must be numbers between 0 and 1 in ascending order, such as "
            f"[0.1, 0.5, 0.9]. Received: quantiles={quantiles}"
        )
