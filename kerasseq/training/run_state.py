"""Saves a training run, so that it can be killed at any time and resumed exactly.

`run_file.py` has the file format and writes atomically. This module decides what
belongs to the state of a run and when it is written.
"""

import pathlib
import time

import keras
import numpy as np
from keras import ops

from kerasseq.training import (
    _within_epoch,
    averaged_weights,
    run_file,
    run_variables,
)
from kerasseq.utils import interrupts, stages

_STOPPER_FIELDS = ("wait", "best", "best_epoch", "stopped_epoch")


class RunState(keras.callbacks.Callback):
    """Callback that saves the whole state of a run, after each epoch and within.

    One file, replaced atomically, holds all variables of the model (including the
    random seeds of dropout, which `keras.callbacks.BackupAndRestore` does not save)
    and of the optimizer, the state of early stopping, the history and the settings of
    the run. A resumed run ends with the same weights as an uninterrupted one, bit for
    bit on devices that compute deterministically, such as a CPU. `history.csv` in the
    same folder is rewritten each epoch, so that a kill neither loses nor repeats a
    row.

    The callback calls `early_stopping` itself, so that it can save it after the epoch:
    do not pass it to `fit` as well. Put `RunState` last in the list of callbacks.

    If the optimizer averages weights (`use_ema=True`), validation and early stopping
    use the averages; do not add `keras.callbacks.SwapEMAWeights`.
    `average_checkpoints` does the same with the mean of the weights at the ends of the
    last epochs (Vaswani et al., 2017, section 6.1).

    With `save_every` it is saved within epochs as well, with the sums of the epoch's
    metrics. A run that is resumed there reads the batches of the steps that were done
    and does nothing with them, so that the data may be anything `fit` takes. A signal
    to end (in `kerasseq.utils.interrupts.deferred`) saves before the next step.

    For exact resumption the data must depend on the number of the epoch alone, counted
    on from `initial_epoch`. Call `fit` with `shuffle=False` for a
    `keras.utils.PyDataset`, since Keras shuffles it from a random state that is not
    saved.

    Args:
        path: Path of the state file, with the suffix `.npz`.
        early_stopping: Optional `keras.callbacks.EarlyStopping`.
        fingerprint: Optional dictionary of JSON types, the settings of the run. A run
            resumes only with equal settings. Include the number of epochs, since a
            finished run is not continued.
        average_checkpoints: Integer. Number of epochs, including the current one,
            whose last weights are averaged. Defaults to 0, no averaging.
        save_every: Integer, the steps between two savings within an epoch, or a string
            such as `"30s"`, `"10m"` or `"1h"`, the time between them. Defaults to
            `None`, only the ends of epochs.
        keep: Integer. Number of states that are kept, `state.npz` and before it
            `state.1.npz` and so on. `restore` takes the last one that is not damaged.
            Defaults to 2.

    Attributes:
        initial_epoch: Number of finished epochs, for `fit(initial_epoch=...)`.
        initial_step: Number of steps of the next epoch that are done, too.
        finished: Whether the run has ended, by its last epoch or by early stopping.
        history: List with one dictionary per epoch: `epoch` (from 1), `seconds`,
            `learning_rate` and the logs.

    Raises:
        ValueError: If the suffix is not `.npz`, if `save_every` is none of the above,
            or if both the optimizer and `average_checkpoints` average.

    Example:

    ```python
    state = kerasseq.training.RunState(
        "run/state.npz",
        keras.callbacks.EarlyStopping("val_cross_entropy", patience=3),
        fingerprint={"seed": 1, "epochs": 20},
    )
    if resume:
        state.restore(model)
    if not state.finished:
        model.fit(
            data,
            validation_data=validation_data,
            epochs=20,
            initial_epoch=state.initial_epoch,
            shuffle=False,
            callbacks=[state],
        )
    ```
    """

    def __init__(
        self,
        path,
        early_stopping=None,
        fingerprint=None,
        average_checkpoints=0,
        save_every=None,
        keep=2,
    ):
        super().__init__()
        self.path = pathlib.Path(path)
        if self.path.suffix != ".npz":
            raise ValueError(f"`path` must end in `.npz`. Received: path={path}")
        self.early_stopping = early_stopping
        self.fingerprint = run_file.as_json(fingerprint or {})
        self.initial_epoch = self.initial_step = 0
        self.finished = False
        self.history = []
        self.keep = keep
        self._times = _within_epoch.SaveTimes(save_every)
        self._within = None  # a saved state within an epoch, until `fit` is there
        self._restored = self._epoch_began = None
        self.average_checkpoints = average_checkpoints
        self._checkpoints = []  # the trained weights at the ends of the last epochs
        self._trained = []  # weights, while the averages are in the model

    def restore(self, model):
        """Restores a saved run into `model`; call it before `fit`.

        After a finished run the model is as `fit` left it, with the best weights if
        early stopping restores them.

        Args:
            model: The built and compiled model of the run.

        Returns:
            Boolean, whether there was a saved run. If not, nothing is changed.

        Raises:
            ValueError: If all files are damaged, or one was written with another
                fingerprint, or does not fit the model or the early stopping.
        """
        saved = run_file.read_last(self.path, self.keep)
        if saved is None:
            return False
        run_file.check_fingerprint(self.path, saved["fingerprint"], self.fingerprint)
        self._check_early_stopping(saved)
        run_variables.assign(run_variables.find(model), saved["variables"], self.path)
        self.initial_epoch, self.initial_step = saved["epoch"], saved["step"]
        self._within = saved if self.initial_step else None
        self.finished = saved["finished"]
        self.history = saved["history"]
        self._checkpoints = self._grouped(saved["checkpoints"] or [], model)
        self._restored = saved
        if self.finished:
            self._end(model)
        run_file.write_history(self._history_path, self.history)
        return True

    def set_params(self, params):
        super().set_params(params)
        if self.early_stopping is not None:
            self.early_stopping.set_params(params)

    def set_model(self, model):
        super().set_model(model)
        if self.average_checkpoints and averaged_weights.optimizer_averages(model):
            raise ValueError(
                "The optimizer and `RunState` must not both average weights; set "
                "`use_ema=False` or `average_checkpoints=0`. Received: use_ema=True, "
                f"average_checkpoints={self.average_checkpoints}"
            )
        if self.early_stopping is not None:
            self.early_stopping.set_model(model)

    def on_train_begin(self, logs=None):
        if self._restored is None:  # a new run, maybe on a used object
            self.initial_epoch, self.finished, self.history = 0, False, []
            self.initial_step, self._within, self._checkpoints = 0, None, []
        if self.early_stopping is not None:
            self.early_stopping.on_train_begin(logs)  # resets it
            if self._restored is not None:
                _set_stopper(self.early_stopping, self._restored)
        self._restored = None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_began = time.perf_counter()
        self._times.saved(self.initial_step)
        if self._within is not None:
            _within_epoch.go_on(self.model, self._within, self._put_variables)
            self._epoch_began -= self._within["seconds"]

    def on_train_batch_begin(self, batch, logs=None):
        # Not after a batch: Keras would wait for the logs of each step on JAX.
        if batch <= self.initial_step:  # nothing was done yet
            return
        signal = interrupts.pending()
        if signal or self._times.due(batch):
            self._save(batch)
        if signal:
            stages.LOGGER.warning(
                "saved after step %d of epoch %d", batch, self.initial_epoch + 1
            )
            interrupts.check()

    def on_test_begin(self, logs=None):
        self._trained = averaged_weights.swap_in(self.model, self._earlier())

    def on_test_end(self, logs=None):
        averaged_weights.swap_out(self.model, self._trained)

    def on_epoch_end(self, epoch, logs=None):
        if self.early_stopping is not None:
            with averaged_weights.swapped_in(self.model, self._earlier()):
                self.early_stopping.on_epoch_end(epoch, logs)
        if self.average_checkpoints:
            values = averaged_weights.values(self.model)
            self._checkpoints = [*self._earlier(), values]
        self.initial_epoch, self.initial_step, self._within = epoch + 1, 0, None
        last = self.initial_epoch >= self.params["epochs"]
        self.finished = bool(last or self.model.stop_training)
        self.history.append(self._row(epoch, logs or {}))
        self._save(0)
        run_file.write_history(self._history_path, self.history)
        interrupts.check()

    def on_train_end(self, logs=None):
        self._put_mean(self.model)
        if self.early_stopping is not None:
            self.early_stopping.on_train_end(logs)

    @property
    def _history_path(self):
        return self.path.with_name("history.csv")

    def _put_variables(self):
        """Once more: what is called as an epoch begins may have changed them."""
        values = self._within["variables"]
        run_variables.assign(run_variables.find(self.model), values, self.path)

    def _save(self, step):
        run_file.write(self.path, self._contents(step), self.keep)
        self._times.saved(step)

    def _row(self, epoch, logs):
        learning_rate = ops.convert_to_numpy(self.model.optimizer.learning_rate)
        return {
            "epoch": epoch + 1,
            **{name: float(value) for name, value in logs.items()},
            "learning_rate": float(learning_rate),
            "seconds": round(self._seconds(), 3),
        }

    def _seconds(self):
        return time.perf_counter() - self._epoch_began

    def _contents(self, step):
        variables = run_variables.find(self.model)
        within = {"step": step, "seconds": 0.0, "metrics": []}
        if step:
            within["seconds"] = self._seconds()
            within["metrics"] = _within_epoch.metric_values(self.model)
        return within | {
            "epoch": self.initial_epoch,
            "finished": self.finished,
            "fingerprint": self.fingerprint,
            "history": self.history,
            "variables": [ops.convert_to_numpy(variable) for variable in variables],
            "checkpoints": [x for values in self._checkpoints for x in values],
            **_get_stopper(self.early_stopping),
        }

    def _earlier(self):
        """The checkpoints that are averaged with the weights of the current epoch."""
        count = self.average_checkpoints - 1
        return self._checkpoints[-count:] if count > 0 else []

    def _put_mean(self, model):
        if self._checkpoints:
            mean = averaged_weights.mean(self._checkpoints)
            averaged_weights.swap_out(model, mean)

    def _grouped(self, arrays, model):
        size = len(model.trainable_variables)
        return [arrays[i : i + size] for i in range(0, len(arrays), size)]

    def _check_early_stopping(self, saved):
        if (saved["early_stopping"] is None) != (self.early_stopping is None):
            word = "without" if saved["early_stopping"] is None else "with"
            raise ValueError(
                f"{self.path} was written {word} early stopping; resume it {word} too. "
                f"Received: early_stopping={self.early_stopping}"
            )

    def _end(self, model):
        """Leaves the model as `fit` does after its last epoch."""
        model.optimizer.finalize_variable_values(model.trainable_variables)
        self._put_mean(model)
        stopper = self.early_stopping
        best_weights = self._restored["best_weights"]
        if stopper is not None and stopper.restore_best_weights and best_weights:
            model.set_weights(best_weights)


def _get_stopper(stopper):
    if stopper is None:
        return {"early_stopping": None, "best_weights": None}
    fields = {name: getattr(stopper, name) for name in _STOPPER_FIELDS}
    best = fields["best"]
    fields["best"] = None if best is None else float(best)
    best_weights = stopper.best_weights
    if best_weights is not None:
        best_weights = [np.asarray(weight) for weight in best_weights]
    return {"early_stopping": fields, "best_weights": best_weights}


def _set_stopper(stopper, saved):
    for name, value in saved["early_stopping"].items():
        setattr(stopper, name, value)
    stopper.best_weights = saved["best_weights"]
