"""Metrics per token, without padding."""

import keras

from kerasseq.training.smoothed_cross_entropy import SmoothedCrossEntropy


def token_metrics():
    """Returns cross entropy and accuracy per token, for `weighted_metrics`.

    Both sum over the epoch and divide once at its end, so that they are exact when
    batches hold different numbers of tokens. Keras' `val_loss` is a mean of batch
    means and is not exact. Select models by `val_cross_entropy`, which has no label
    smoothing; its exponential is the perplexity.

    Returns:
        A list of two new metrics, named `cross_entropy` and `accuracy`. They take
        integer labels of shape `(batch_size, length)`, logits of shape `(batch_size,
        length, vocabulary_size)` and sample weights of shape `(batch_size, length)`,
        0 for padding.

    Example:

    ```python
    model.compile(
        optimizer="adam",
        loss=kerasseq.training.SmoothedCrossEntropy(),
        weighted_metrics=kerasseq.training.token_metrics(),
    )
    ```
    """
    return [
        TokenCrossEntropy(),
        keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
    ]


@keras.saving.register_keras_serializable(package="kerasseq")
class TokenCrossEntropy(keras.metrics.MeanMetricWrapper):
    """Cross entropy per token, in float32.

    `keras.metrics.SparseCategoricalCrossentropy` computes in the dtype of the logits,
    so with three digits in mixed precision, and on JAX a logit of minus infinity, a
    masked word, makes it NaN.
    """

    def __init__(self, name="cross_entropy", dtype=None):
        super().__init__(SmoothedCrossEntropy(0.0, reduction=None), name, dtype)
        # `EarlyStopping(mode="auto")` reads it.
        self._direction = "down"

    def get_config(self):
        return keras.metrics.Metric.get_config(self)
