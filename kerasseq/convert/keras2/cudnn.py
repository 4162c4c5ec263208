"""Weights of `CuDNNLSTM` and `CuDNNGRU`, in the layout of `LSTM` and `GRU`.

cuDNN multiplies from the left: it stores the matrices of each gate transposed, and two
biases, one for the input and one for the state.
"""

import functools
from collections.abc import Callable, Mapping

import keras
import numpy as np

_GATES = {keras.layers.LSTMCell: 4, keras.layers.GRUCell: 3}


def functions(
    model: keras.Model, shapes: Mapping[int, tuple[int, ...]]
) -> Mapping[int, Callable[[np.ndarray], np.ndarray]]:
    """Functions from an array in cuDNN's layout to the value of a variable.

    Args:
        model: The model with the variables.
        shapes: `{id of a variable: shape of its array}`.

    Returns:
        `{id of a variable: function of the array}` for the cells whose biases, and
        so all weights, the file stores in cuDNN's layout.
    """
    found = {}
    for cell in model._flatten_layers():
        gates = _GATES.get(type(cell))
        if gates is None or cell.bias is None:
            continue
        wanted = (2 * gates * cell.units,)
        kernel, recurrent, bias = cell.kernel, cell.recurrent_kernel, cell.bias
        same = [tuple(w.shape) == tuple(shapes[id(w)]) for w in (kernel, recurrent)]
        if tuple(shapes[id(bias)]) == wanted and all(same):
            found[id(kernel)] = functools.partial(_kernel, gates=gates)
            found[id(recurrent)] = functools.partial(_recurrent, gates=gates)
            found[id(bias)] = functools.partial(_bias, shape=tuple(bias.shape))
    return found


def _kernel(array, gates):
    parts = np.hsplit(array, gates)
    return np.hstack([part.T.reshape(part.shape, order="F") for part in parts])


def _recurrent(array, gates):
    return np.hstack([part.T for part in np.hsplit(array, gates)])


def _bias(array, shape):
    """The sum of both biases, or both where the cell has two."""
    both = array.reshape(2, -1)
    return both if both.shape == shape else both.sum(0)
