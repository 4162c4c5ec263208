"""Recurrent layer over any cell."""

import keras

from kerasseq.layers import compiled_rnn


@keras.saving.register_keras_serializable(package="kerasseq")
class RNN(compiled_rnn.CompiledRNNMixin, keras.layers.RNN):
    """`keras.layers.RNN` whose loop compiles with XLA on every device.

    Takes the arguments of `keras.layers.RNN` and any of Keras' or your own cells.
    Stock cells, alone or in a list, have their input projection hoisted out of the
    loop and run cell after cell, each over the whole sequence, which gives the same
    outputs. The weights are those of the stock layer.

    A masked step keeps the states and repeats the last output, or returns zeros with
    `zero_output_for_mask`.

    Args:
        cell: A cell or a list of cells, which are stacked.
        **kwargs: The other arguments of `keras.layers.RNN`. Stock cells draw one
            dropout mask per sequence for all their gates (Gal and Ghahramani, 2016).

    Call arguments:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_state: Optional list with the states of the cell, of each cell if
            there are several. Zeros by default.
        mask: Optional boolean tensor `(batch_size, time)`; `False` skips the step.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, units)`, or `(batch_size, time, units)` with `return_sequences`;
        with `return_state` a tuple of that and the final states.

    Example:
        >>> cells = [keras.layers.LSTMCell(4), keras.layers.GRUCell(3)]
        >>> kerasseq.layers.RNN(cells, return_sequences=True)(x).shape
        (32, 10, 3)
    """

    def __init__(self, cell, *args, **kwargs):
        super().__init__(cell, *args, **kwargs)  # named, as Keras reads its arguments
