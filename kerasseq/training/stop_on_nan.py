"""Stops training with an error when the loss is NaN or infinite."""

import math

import keras


class StopOnNaN(keras.callbacks.Callback):
    """Raises `FloatingPointError` when the loss is NaN or infinite.

    `keras.callbacks.TerminateOnNaN` stops training silently, and a script goes on to
    evaluate and export a broken model. This callback raises an error instead.

    The loss is checked after every training step, and every `val_` value at the end
    of an epoch. Where Keras calls callbacks from another thread (JAX), the error is
    raised a few steps after the one it names.

    Raises:
        FloatingPointError: The message names epoch and step (counted from 1, as in
            the progress bar), the value and what to try.

    Example:

    ```python
    model.fit(data, callbacks=[kerasseq.training.StopOnNaN()])
    ```
    """

    async_safe = True  # lets Keras call it asynchronously, as it does on JAX

    def __init__(self):
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self._check("loss", (logs or {}).get("loss"), f", step {batch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            if name.startswith("val_"):
                self._check(name, value)

    def _check(self, name, value, step=""):
        if value is None or math.isfinite(value):
            return
        raise FloatingPointError(
            f"`{name}` is not finite at epoch {self._epoch + 1}{step}. Lower the "
            "learning rate, clip gradients (`global_clipnorm=1.0`), or look for bad "
            f"values or rows without tokens in the data. Received: {name}={value}"
        )
