"""The averaged weights that an optimizer keeps beside those it trains.

`keras.callbacks.SwapEMAWeights` exchanges the two with additions on TensorFlow, which
round, and leaves the averages in the model where a run's state is saved.
"""

import contextlib

import numpy as np
from keras import ops


@contextlib.contextmanager
def in_place(model):
    """Gives the model its averaged weights for the time of a block.

    Args:
        model: A built and compiled model; nothing changes if its optimizer does not
            average (`use_ema=True`).
    """
    trained = put(model)
    try:
        yield
    finally:
        take_back(model, trained)


def put(model):
    """Gives the model its averaged weights; returns the trained ones, a list of arrays.

    The list is empty, and nothing changed, if the optimizer does not average.
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema:
        return []
    trained = _values(model)
    optimizer.finalize_variable_values(model.trainable_variables)
    # On JAX both now hold one array, which a step deletes after use.
    take_back(model, _values(model))
    return trained


def take_back(model, trained):
    """Gives the model back the weights that `put` returned, if any."""
    if trained:
        for variable, value in zip(model.trainable_variables, trained, strict=True):
            variable.assign(value)


def _values(model):
    variables = model.trainable_variables
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]
