"""Keras' own cells in the two halves that the loops want, and any other cell too.

A cell of kerasseq has `input_gates`, `random_numbers` and `step` as methods, see
`kerasseq.layers.split_lstm_cell`. Those of Keras get them here, as functions.
"""

import typing

import keras

from kerasseq import ops
from kerasseq.ops import kernels


class _Stock(typing.NamedTuple):
    """The function over a whole sequence, that of one step, the maker of the kernel
    with a gradient by hand, and the attributes that all three take."""

    run: typing.Callable
    step: typing.Callable
    kernel: typing.Callable
    options: tuple


_STOCK = {
    keras.layers.LSTMCell: _Stock(
        ops.lstm, ops.lstm_step, kernels.lstm, ("activation", "recurrent_activation")
    ),
    keras.layers.GRUCell: _Stock(
        ops.gru,
        ops.gru_step,
        kernels.gru,
        ("activation", "recurrent_activation", "reset_after"),
    ),
    keras.layers.SimpleRNNCell: _Stock(
        ops.simple_rnn, ops.simple_rnn_step, kernels.simple_rnn, ("activation",)
    ),
}


def is_stock(cell):
    """Whether a cell is one of Keras' own; a subclass computes something else."""
    return type(cell) in _STOCK


def run(cell, sequences, initial_states, **loop):
    """Loops one of Keras' own cells over a sequence, with gradients by hand."""
    bias = cell.bias if cell.use_bias else None
    weights = (cell.kernel, cell.recurrent_kernel, bias)
    options = _options(cell)
    return _STOCK[type(cell)].run(
        sequences, initial_states, *weights, **options, **loop
    )


def by_hand(cell):
    """One of Keras' own cells with its gradient, for loops that are written by hand.

    Args:
        cell: A cell of `kerasseq.layers.CELLS`, built.

    Returns:
        `(kernel, weights)`, a `kerasseq.ops.bptt.Cell` and its list of weights. The
        kernel is `None` for other cells and other activations.
    """
    if not is_stock(cell):
        return None, []
    options = _options(cell)
    recurrent = [cell.recurrent_kernel]
    if "reset_after" in options:
        recurrent = kernels.gru_kernels(cell.recurrent_kernel, cell.reset_after)
    biases = [bias for bias in _biases(cell) if bias is not None]
    return _STOCK[type(cell)].kernel(**options), recurrent + biases


def input_gates(cell, product):
    """The part of the gates that comes from the input.

    Args:
        cell: A cell of `kerasseq.layers.CELLS`, built.
        product: Tensor `(..., gates * units)`, the input times the cell's kernel.

    Returns:
        Tensor `(..., gates * units)`.
    """
    if not is_stock(cell):
        return cell.input_gates(product)
    bias, _ = _biases(cell)
    return product if bias is None else product + bias


def random_numbers(cell, shape, training):
    """What a cell draws for its steps: outside the loop, where it always compiles.

    Args:
        cell: A cell of `kerasseq.layers.CELLS`, built.
        shape: Shape of the inputs but for the features, such as `(batch_size, time)`.
        training: Whether the cell trains.

    Returns:
        A dict of tensors `(*shape, units)`, which may be empty.
    """
    return {} if is_stock(cell) else cell.random_numbers(shape, training)


def step(cell, projected, states, training=False):
    """What is left of a cell for the loop.

    Args:
        cell: A cell of `kerasseq.layers.CELLS`, built.
        projected: Dict of `gates`, from `input_gates`, and of the random numbers.
        states: List of tensors `(batch_size, units)`.
        training: Whether the cell trains.

    Returns:
        `(output, states)`.
    """
    if not is_stock(cell):
        return cell.step(projected, states, training)
    _, recurrent_bias = _biases(cell)
    options = _options(cell)
    if recurrent_bias is not None:
        options["recurrent_bias"] = recurrent_bias
    return _STOCK[type(cell)].step(
        projected["gates"], states, cell.recurrent_kernel, **options
    )


def _options(cell):
    return {name: getattr(cell, name) for name in _STOCK[type(cell)].options}


def _biases(cell):
    """Those of input and state; only a GRU has the second."""
    if not cell.use_bias:
        return None, None
    two = len(cell.bias.shape) == 2
    return (cell.bias[0], cell.bias[1]) if two else (cell.bias, None)
