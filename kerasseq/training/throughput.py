"""Tokens, images or windows per second in the progress bar and the history."""

import itertools
import time

import keras


class Throughput(keras.callbacks.Callback):
    """Callback that adds `tokens_per_second`, or images or windows, to the logs.

    The value is the mean since the start of the epoch, without validation. In the
    first epoch it starts after the first step, which compiles. Steps that compile for
    another batch shape are included, so with several shapes the value of the first
    epoch is too low; quote a later one.

    It does not wait for the device. On TensorFlow `fit` reads the logs after every
    step anyway; on JAX the callback runs in Keras' worker thread and measures when
    results arrive.

    Put it before callbacks that read the logs, such as `RunState`. Call `fit` with
    `shuffle=False`: otherwise Keras shuffles the batches of a `PyDataset`, and the
    index of a step is not the index of its batch.

    Args:
        data: The training data, with `len(data)` batches and a method
            `tokens_in_batch(index)`, `images_in_batch(index)` or
            `windows_in_batch(index)` that returns the number of tokens, images or
            windows of a series in a batch, without padding.

    Raises:
        ValueError: If the data have none of the methods.

    Example:

    ```python
    model.fit(
        data, shuffle=False, callbacks=[kerasseq.training.Throughput(data)]
    )
    ```
    """

    async_safe = True  # lets Keras call it asynchronously, as it does on JAX

    def __init__(self, data):
        super().__init__()
        self.data = data
        self._name = f"{_unit(data)}_per_second"
        self._compiled = False
        self._begin_epoch()

    def on_train_begin(self, logs=None):
        self._compiled = False

    def on_epoch_begin(self, epoch, logs=None):
        self._begin_epoch()

    def on_train_batch_begin(self, batch, logs=None):
        # Not in `on_epoch_begin`: the data may shuffle after it.
        if self._totals is None:
            self._totals = self._running_totals()

    def on_train_batch_end(self, batch, logs=None):
        now, count = time.perf_counter(), self._totals[batch]
        if not self._compiled:
            self._compiled = True
            self._start = now, count
            return
        seconds = now - self._start[0]
        if seconds > 0 and count > self._start[1]:
            self._rate = (count - self._start[1]) / seconds
            logs[self._name] = self._rate

    def on_epoch_end(self, epoch, logs=None):
        if self._rate is not None:
            logs[self._name] = self._rate

    def _begin_epoch(self):
        self._start = time.perf_counter(), 0
        self._totals = None
        self._rate = None

    def _running_totals(self):
        counts = getattr(self.data, f"{_unit(self.data)}_in_batch")
        return list(itertools.accumulate(map(counts, range(len(self.data)))))


def _unit(data):
    for unit in ("tokens", "images", "windows"):
        if hasattr(data, f"{unit}_in_batch"):
            return unit
    raise ValueError(
        "Throughput needs data with a method `tokens_in_batch(index)`, "
        "`images_in_batch(index)` or `windows_in_batch(index)`. "
        f"Received: {type(data).__name__}"
    )
