"""Cross entropy that weighs easy examples down."""

import keras
import numpy as np
from keras import ops

from kerasseq.training import masked_sums


@keras.saving.register_keras_serializable(package="kerasseq")
class FocalLoss(keras.losses.Loss):
    """Focal cross entropy of integer labels or masks, from logits.

        loss = -sum_c alpha_c t_c (1 - p_c)^gamma log(p_c)

    with `p` the softmax of the logits and `t` the one-hot labels, smoothed by
    `label_smoothing`. With `gamma=2` a pixel with `p = 0.9` for its label has a
    hundredth of its cross entropy, so that many easy pixels do not outweigh the few
    hard ones. `gamma=0` is plain cross entropy, with label smoothing and a void label.

    The default reduction divides by the sum of the weights, so the result is a mean
    per labeled pixel. `alpha` is not part of that sum.

    `keras.losses.CategoricalFocalCrossentropy` clips the probabilities, which gives
    the hardest pixels a gradient of zero, and has no void label.

    Args:
        gamma: Float, at least 0. The larger, the less easy pixels count. Defaults to
            2.0, the best value in the paper.
        alpha: Optional list of `num_classes` floats, the weights of the classes. The
            paper's number `a` for two classes is `[1 - a, a]`.
        label_smoothing: Float in `[0, 1)`. Fraction of the label that is spread
            evenly over the classes. Defaults to 0.0.
        ignore_class: Optional label whose pixels are not counted, such as 255. It may
            lie outside the classes. Any other label outside the classes is an error
            that is not reported under XLA.
        reduction: Reduction of `keras.losses.Loss`. Defaults to
            `"mean_with_sample_weight"`.
        name: Name of the loss.

    Call arguments:
        y_true: Integer labels of shape `(batch_size,)`, or masks of shape
            `(batch_size, height, width)`.
        y_pred: Logits with one more axis than the labels, of size `num_classes`.
        sample_weight: Optional weights of the labels' shape or `(batch_size,)`.

    Raises:
        ValueError: If `gamma` or `label_smoothing` is out of range, if `alpha` is
            not one number per class, or if the shapes do not match.

    Example:

    >>> loss = kerasseq.training.FocalLoss(ignore_class=255)
    >>> float(loss(np.array([0, 255]), np.array([[0.0, 0.0], [0.0, 0.0]])))
    0.1732867956161499

    Reference:
        [Lin et al., 2017](https://arxiv.org/abs/1708.02002), equation 5.
    """

    def __init__(
        self,
        gamma=2.0,
        alpha=None,
        label_smoothing=0.0,
        ignore_class=None,
        reduction="mean_with_sample_weight",
        name="focal_loss",
    ):
        _check(gamma, alpha, label_smoothing)
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.gamma = gamma
        self.alpha = None if alpha is None else [float(part) for part in alpha]
        self.label_smoothing = label_smoothing
        self.ignore_class = ignore_class

    def __call__(self, y_true, y_pred, sample_weight=None):
        weights = masked_sums.label_weights(
            y_true, y_pred, sample_weight, self.ignore_class
        )
        return super().__call__(y_true, y_pred, weights)

    def call(self, y_true, y_pred):
        num_classes = y_pred.shape[-1]
        # Not of `floatx`, which may be another than that of this loss.
        labels = ops.cast(y_true, "int32")
        targets = ops.one_hot(labels, num_classes, dtype=y_pred.dtype)
        targets = (1 - self.label_smoothing) * targets
        if self.label_smoothing:
            possible = masked_sums.possible(y_pred)
            rate = self.label_smoothing / ops.sum(possible, axis=-1, keepdims=True)
            targets = targets + rate * possible
        # A class without a target adds nothing, also where its logit is -inf.
        log_probabilities = ops.where(targets > 0, ops.log_softmax(y_pred), 0.0)
        # Off zero, where a power below one has no finite gradient.
        rest = ops.maximum(1 - ops.exp(log_probabilities), keras.config.epsilon())
        losses = targets * rest**self.gamma * masked_sums.bounded(-log_probabilities)
        return ops.sum(losses * self._class_weights(num_classes), axis=-1)

    def _class_weights(self, num_classes):
        if self.alpha is None:
            return 1.0
        if len(self.alpha) != num_classes:
            raise ValueError(
                "`alpha` must hold one number per class. "
                f"Received: alpha={self.alpha} for {num_classes} classes"
            )
        return ops.convert_to_tensor(self.alpha, "float32")

    def get_config(self):
        return {
            "gamma": self.gamma,
            "alpha": self.alpha,
            "label_smoothing": self.label_smoothing,
            "ignore_class": self.ignore_class,
            "reduction": self.reduction,
            "name": self.name,
        }


def _check(gamma, alpha, label_smoothing):
    if not gamma >= 0:
        raise ValueError(f"`gamma` must be at least 0. Received: gamma={gamma}")
    if alpha is not None and np.ndim(alpha) != 1:
        raise ValueError(
            "`alpha` must be a list of one number per class, such as [0.75, 0.25]. "
            f"Received: alpha={alpha}"
        )
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            "`label_smoothing` must be at least 0 and less than 1. "
            f"Received: label_smoothing={label_smoothing}"
        )
