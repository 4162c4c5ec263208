"""A weighted sum of several losses of one output."""

import keras


@keras.saving.register_keras_serializable(package="kerasseq")
class SumOfLosses(keras.losses.Loss):
    """A weighted sum of losses of the same output.

    In `compile`, `loss=[first, second]` means one loss per output: with a single
    output Keras 3.15 trains with the first and silently drops the rest. A function
    that adds losses receives no `sample_weight`.

    Each loss applies its own reduction and the sample weights.

    Args:
        losses: List of `keras.losses.Loss`.
        weights: Optional list of floats, the factor of each loss. Defaults to 1 for
            each.
        name: Name of the loss.

    Call arguments:
        Those of the losses.

    Raises:
        ValueError: If `losses` is empty or holds anything but losses, or if `weights`
            is of another length.

    Example: cross entropy plus Dice, the loss of nnU-Net, here with label smoothing
    and a void label.

    ```python
    loss = kerasseq.training.SumOfLosses(
        [
            kerasseq.training.FocalLoss(0.0, label_smoothing=0.1, ignore_class=255),
            kerasseq.training.DiceLoss(ignore_class=255),
        ]
    )
    ```

    Reference:
        [Isensee et al., 2021](https://doi.org/10.1038/s41592-020-01008-z).
    """

    def __init__(self, losses, weights=None, name="sum_of_losses"):
        super().__init__(name=name, dtype="float32")
        self.losses = [keras.losses.get(loss) for loss in losses]
        self.weights = [1.0] * len(self.losses) if weights is None else list(weights)
        _check(self.losses, self.weights)

    def __call__(self, y_true, y_pred, sample_weight=None):
        return sum(
            weight * loss(y_true, y_pred, sample_weight)
            for loss, weight in zip(self.losses, self.weights, strict=True)
        )

    def get_config(self):
        return {
            "losses": [keras.losses.serialize(loss) for loss in self.losses],
            "weights": self.weights,
            "name": self.name,
        }


def _check(losses, weights):
    if not losses or not all(isinstance(loss, keras.losses.Loss) for loss in losses):
        raise ValueError(
            "`losses` must be a list of `keras.losses.Loss` instances, such as "
            "`[keras.losses.MeanSquaredError()]`. "
            f"Received: losses={losses}"
        )
    if len(weights) != len(losses):
        raise ValueError(
            "`weights` must hold one number for each loss. "
            f"Received: weights={weights} for {len(losses)} losses"
        )
