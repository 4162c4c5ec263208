"""Stop a run whose loss is no longer a number."""

import math

import keras


class StopOnNaN(keras.callbacks.Callback):
    """Raises `FloatingPointError` when the loss is NaN or infinite.

    `keras.callbacks.TerminateOnNaN` ends the run quietly, and what follows `fit`
    goes on to evaluate and export a broken model. This callback fails in one line.

    The loss is looked at after every training step, and every `val_` value at the
    end of an epoch. Where Keras calls callbacks from another thread (JAX), the error
    is raised a few steps after the one it names.

    Raises:
        FloatingPointError: With the epoch and step (counted from 1, as in the
            progress bar), the value received and what to try.

    Example:

    ```python
    model.fit(data, callbacks=[kerasseq.training.StopOnNaN()])
    ```
    """

    async_safe = True  # Keeps Keras' asynchronous callbacks on where it has them.

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
