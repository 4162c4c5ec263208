"""Metrics per real token."""

import keras


def token_metrics():
    """Cross entropy and accuracy per real token, for `weighted_metrics`.

    Both add up weighted sums and weights over the epoch and divide once, so that
    they are exact when batches hold different numbers of tokens. Keras' `val_loss`
    is a mean over batches and is not: select models by `val_cross_entropy`, whose
    `exp` is the perplexity. It is measured without label smoothing.

    Returns:
        A list of two new metrics, named `cross_entropy` and `accuracy`, for integer
        labels `(batch_size, length)`, logits `(batch_size, length,
        vocabulary_size)` and sample weights `(batch_size, length)`.

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
        keras.metrics.SparseCategoricalCrossentropy(
            from_logits=True, name="cross_entropy"
        ),
        keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
    ]
