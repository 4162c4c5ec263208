"""How far a long job is, and how long it will take."""

import contextlib
import logging
import sys
import threading
import time

from kerasseq.utils import stages

SECONDS = 30  # between two signs of life


class _Printer(logging.Handler):
    """Prints what is logged after a title."""

    def __init__(self, title):
        super().__init__()
        self.title = title

    def emit(self, record):
        print(f"{self.title}: {record.getMessage()}", flush=True)


def notes_shown():
    """A context in which what readers of data leave out or change is printed."""
    handler = _Printer("note")
    handler.setLevel(logging.WARNING)
    return stages.shown(handler)


@contextlib.contextmanager
def stage(text):
    """Says that a job begins, what it is at, that it runs, and how long it took.

    Args:
        text: What is done, as "Export of model.tflite".
    """
    began, ended = time.monotonic(), threading.Event()

    def tell():
        told = ""
        while not ended.wait(SECONDS):
            passed = stages.duration(time.monotonic() - began)
            if passed != told:
                print(f"{text}: still at work after {passed}", flush=True)
            told = passed

    print(f"{text} ...", flush=True)
    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        with stages.shown(_Printer(text)):
            yield
    finally:
        ended.set()
        thread.join()
    print(f"{text}: {stages.duration(time.monotonic() - began)}", flush=True)


def remaining_time(num_batches, epochs, initial_epoch):
    """A callback that prints the time that is left.

    After each epoch, and within one where there is no progress bar, every `SECONDS`.

    Args:
        num_batches: Batches per epoch.
        epochs: Last epoch at most.
        initial_epoch: Number of epochs that were done before.

    Returns:
        A `keras.callbacks.Callback`.
    """
    import keras

    began, done, told = time.monotonic(), [0], [0.0]
    total = (epochs - initial_epoch) * num_batches
    compiled = [began]  # when the first step was done, which includes the compilation

    def tell(where):
        told[0] = time.monotonic()
        since, steps = (began, 1) if done[0] == 1 else (compiled[0], done[0] - 1)
        left = (told[0] - since) / steps * (total - done[0])
        print(f"{where}: about {stages.duration(left)} left at most", flush=True)

    def after_batch(batch, logs):
        done[0] += 1
        if done[0] == 1:
            compiled[0] = told[0] = time.monotonic()
        elif not sys.stdout.isatty() and time.monotonic() - told[0] > SECONDS:
            tell(f"step {done[0]} of {total}")

    def after_epoch(epoch, logs):
        if epoch + 1 < epochs:
            tell(f"epoch {epoch + 1} of {epochs}")

    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=after_batch, on_epoch_end=after_epoch
    )
    callback.async_safe = True  # lets Keras call it asynchronously, as on JAX
    return callback
