"""Cross entropy over a vocabulary with smoothed labels."""

import keras
from keras import ops

from kerasseq.training import masked_sums


@keras.saving.register_keras_serializable(package="kerasseq")
class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross entropy of integer labels with label smoothing, from logits.

    With smoothing `e` the target distribution gives `1 - e` to the label and
    spreads `e` evenly over the words whose logit is above -1e9; others are masked. A
    masked label costs 1e9 at least. The loss per token is
    `logsumexp(logits) - (1 - e) * logits[label] - e * mean(logits)`, which needs
    no one-hot tensor of the size of the logits and compiles under XLA. It is
    computed in float32, whatever the dtype of the logits.

    The default reduction divides by the sum of the sample weights. With weights of 1
    for tokens and 0 for padding the result is the mean per token. A Keras mask on the
    logits acts like a sample weight.

    Args:
        label_smoothing: Float in `[0, 1)`. Fraction of the label that is spread
            evenly over the vocabulary. Defaults to 0.1, as in the paper.
        reduction: Reduction of `keras.losses.Loss`. Defaults to
            `"mean_with_sample_weight"`.
        name: Name of the loss.

    Call arguments:
        y_true: Integer labels of shape `(batch_size, length)`. A label outside the
            vocabulary is an error that is not reported under XLA.
        y_pred: Logits of shape `(batch_size, length, vocabulary_size)`.
        sample_weight: Optional weights of shape `(batch_size, length)` or
            `(batch_size,)`.

    Raises:
        ValueError: If `label_smoothing` is outside `[0, 1)`, or if the shapes do not
            match.

    Example:

    ```python
    model.compile(
        optimizer="adam",
        loss=kerasseq.training.SmoothedCrossEntropy(0.1),
        weighted_metrics=kerasseq.training.token_metrics(),
        jit_compile=True,
    )
    ```

    Reference:
        [Szegedy et al., 2016](https://arxiv.org/abs/1512.00567), section 7.
    """

    def __init__(
        self,
        label_smoothing=0.1,
        reduction="mean_with_sample_weight",
        name="smoothed_cross_entropy",
    ):
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                "`label_smoothing` must be at least 0 and less than 1. "
                f"Received: label_smoothing={label_smoothing}"
            )
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.label_smoothing = label_smoothing

    def __call__(self, y_true, y_pred, sample_weight=None):
        weights = masked_sums.label_weights(y_true, y_pred, sample_weight)
        return super().__call__(y_true, y_pred, weights)

    def call(self, y_true, y_pred):
        labels = ops.expand_dims(ops.cast(y_true, "int32"), -1)
        # Not a gather: its gradient is a scatter to as many zeros as there are logits.
        chosen = ops.equal(ops.arange(y_pred.shape[-1], dtype="int32"), labels)
        label_logits = ops.sum(ops.where(chosen, y_pred, 0.0), axis=-1)
        losses = ops.logsumexp(y_pred, axis=-1)
        losses = losses - (1 - self.label_smoothing) * label_logits
        if not self.label_smoothing:
            return masked_sums.bounded(losses)
        possible = masked_sums.possible(y_pred)
        total = ops.sum(ops.where(possible > 0, y_pred, 0.0), axis=-1)
        mean = total / ops.sum(possible, axis=-1)
        return masked_sums.bounded(losses - self.label_smoothing * mean)

    def get_config(self):
        return {
            "label_smoothing": self.label_smoothing,
            "reduction": self.reduction,
            "name": self.name,
        }
