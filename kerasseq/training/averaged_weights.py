"""Swaps averaged weights into a model: the optimizer's average, or of checkpoints.

`keras.callbacks.SwapEMAWeights` swaps by additions on TensorFlow, which round, and
leaves the averages in the model at the moment when a run's state is saved.
"""

import contextlib

import numpy as np
from keras import ops


@contextlib.contextmanager
def swapped_in(model, checkpoints=()):
    """A context in which the model has its averaged weights.

    Args:
        model: A built and compiled model. Nothing changes if its optimizer does not
            average (`use_ema=True`) and there are no checkpoints.
        checkpoints: See `swap_in`.
    """
    trained = swap_in(model, checkpoints)
    try:
        yield
    finally:
        swap_out(model, trained)


def optimizer_averages(model):
    """Whether the optimizer, or the one inside a loss scaler, averages weights."""
    return _averaging(model).use_ema


def swap_in(model, checkpoints=()):
    """Gives the model its averaged weights.

    Args:
        model: A built and compiled model.
        checkpoints: Lists of arrays from `values`, to average with the current
            weights. Not used if the optimizer averages.

    Returns:
        The trained weights, a list of arrays, for `swap_out`. Empty if there was
        nothing to average; the model is unchanged then.
    """
    averages = optimizer_averages(model)
    if not (averages or checkpoints):
        return []
    trained = values(model)
    if averages:
        _averaging(model).finalize_variable_values(model.trainable_variables)
        # On JAX weight and average are one array now, which a step would delete.
        swap_out(model, values(model))
    else:
        swap_out(model, mean([*checkpoints, trained]))
    return trained


def swap_out(model, trained):
    """Gives the model back the weights that `swap_in` returned, if any."""
    if trained:
        for variable, value in zip(model.trainable_variables, trained, strict=True):
            variable.assign(value)


def mean(checkpoints):
    """The mean of lists of arrays, array by array."""
    groups = zip(*checkpoints, strict=True)
    return [np.mean([np.float32(x) for x in group], axis=0) for group in groups]


def _averaging(model):
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def values(model):
    """The trainable weights, a list of arrays."""
    variables = model.trainable_variables
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]
