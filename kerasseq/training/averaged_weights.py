"""Averaged weights beside those that are trained: an optimizer's, or of checkpoints.

`keras.callbacks.SwapEMAWeights` exchanges the two with additions on TensorFlow, which
round, and leaves the averages in the model where a run's state is saved.
"""

import contextlib

import numpy as np
from keras import ops


@contextlib.contextmanager
def in_place(model, checkpoints=()):
    """Gives the model its averaged weights for the time of a block.

    Args:
        model: A built and compiled model; nothing changes if its optimizer does not
            average (`use_ema=True`) and there are no checkpoints.
        checkpoints: See `put`.
    """
    trained = put(model, checkpoints)
    try:
        yield
    finally:
        take_back(model, trained)


def optimizer_averages(model):
    """Whether the optimizer, or the one within a loss scale, keeps averages."""
    return _averaging(model).use_ema


def put(model, checkpoints=()):
    """Gives the model its averaged weights; returns the trained ones, a list of arrays.

    The list is empty, and nothing changed, if there is nothing to average.

    Args:
        model: A built and compiled model.
        checkpoints: Lists of arrays from `values`, to average with the weights of now,
            where the optimizer does not average.
    """
    averages = optimizer_averages(model)
    if not (averages or checkpoints):
        return []
    trained = values(model)
    if averages:
        _averaging(model).finalize_variable_values(model.trainable_variables)
        # On JAX both now hold one array, which a step deletes after use.
        take_back(model, values(model))
    else:
        take_back(model, mean([*checkpoints, trained]))
    return trained


def take_back(model, trained):
    """Gives the model back the weights that `put` returned, if any."""
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
