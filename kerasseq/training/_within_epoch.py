"""What `RunState` needs to save a run within an epoch, and to go on from there."""

import re
import time

_UNITS = {"s": 1, "m": 60, "h": 3600}


class SaveTimes:
    """When a run is saved within an epoch.

    Args:
        every: Integer, a number of steps, or a string of a number and the unit `s`,
            `m` or `h`, the time between two. `None`: only at the ends of epochs.

    Raises:
        ValueError: If it is none of these.
    """

    def __init__(self, every):
        self._steps = self._seconds = None
        text = "" if every is None else str(every)
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
        number = float(match[1]) if match else 0
        whole = match and (match[2] or number.is_integer())
        if text and (isinstance(every, bool) or not whole or not number):
            raise ValueError(
                "`save_every` is a number of steps, or a time with its unit, such as "
                f'"30s", "10m" or "1h". Received: save_every={every}'
            )
        if match and match[2]:
            self._seconds = number * _UNITS[match[2]]
        elif match:
            self._steps = int(number)
        self.saved(0)

    def saved(self, step):
        """The run was saved after this step of the epoch."""
        self._last_step, self._last_time = step, time.monotonic()

    def due(self, step):
        """Whether to save after this step of the epoch."""
        if self._seconds:
            return time.monotonic() - self._last_time >= self._seconds
        return bool(self._steps) and step - self._last_step >= self._steps


def metric_values(model):
    """The sums of the epoch's logs so far, a list of arrays."""
    from keras import ops

    return [ops.convert_to_numpy(value) for value in model.metrics_variables]


def go_on(model, saved, put):
    """Puts a model in `fit` where it was within an epoch.

    The next steps take their batches, and do nothing with them. So the data may be
    anything that `fit` takes: what comes after is what came after.

    Args:
        model: A compiled model, at the beginning of an epoch.
        saved: Dict of `step`, the steps that were done, and `metrics`, of
            `metric_values`.
        put: Callable that puts the other variables.
    """
    train, left = model.train_function, [saved["step"]]

    def put_all():
        put()
        for variable, value in zip(
            model.metrics_variables, saved["metrics"], strict=True
        ):
            variable.assign(value)

    def read(*arguments):
        *state, iterator = arguments  # the state on JAX alone
        batches = [next(iterator) for _ in range(model.steps_per_execution)]
        if len(model.metrics_variables) != len(saved["metrics"]):
            _make_metrics(model, batches[0])
            put_all()
        left[0] -= len(batches)
        if left[0] <= 0:
            model.train_function = train
        return ({}, *state) if state else {}

    if len(model.metrics_variables) == len(saved["metrics"]):
        put_all()
    model.train_function = read


def _make_metrics(model, batch):
    """Lets metrics make their variables, which TensorFlow does in the first step."""
    import keras

    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    model.compute_metrics(x, y, model(x, training=False), weights)
