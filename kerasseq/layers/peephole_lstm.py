"""LSTM whose gates see the memory cells."""

import keras
from keras import ops

from kerasseq.layers import cell_layer, split_lstm_cell


@keras.saving.register_keras_serializable(package="kerasseq")
class PeepholeLSTMCell(split_lstm_cell.SplitLSTMCell):
    """Cell of `PeepholeLSTM`, for stacks in `RNN`.

    Args:
        units: Positive integer, dimensionality of the output.
        peephole_initializer: Initializer of the weights from memory cells to gates.
        **kwargs: The other arguments of `keras.layers.LSTMCell`.

    Example:
        >>> cells = [kerasseq.layers.PeepholeLSTMCell(4) for _ in range(2)]
        >>> kerasseq.layers.RNN(cells)(x).shape
        (32, 4)
    """

    def __init__(self, units, *, peephole_initializer="zeros", **kwargs):
        super().__init__(units, **kwargs)
        self.peephole_initializer = keras.initializers.get(peephole_initializer)

    def build(self, input_shape):
        super().build(input_shape)
        self.peephole_kernel = self.add_weight(
            shape=(3, self.units),
            name="peephole_kernel",
            initializer=self.peephole_initializer,
        )

    def step(self, projected, states, training=False):
        h, c = states
        gates = projected["gates"] + self.recurrent_gates(h, training)
        i, f, g, o = ops.split(gates, 4, axis=-1)
        w_i, w_f, w_o = (self.peephole_kernel[gate] for gate in range(3))
        i = self.recurrent_activation(i + w_i * c)
        f = self.recurrent_activation(f + w_f * c)
        c = f * c + i * self.activation(g)
        o = self.recurrent_activation(o + w_o * c)
        h = o * self.activation(c)
        return h, [h, c]

    def get_config(self):
        initializer = keras.initializers.serialize(self.peephole_initializer)
        return super().get_config() | {"peephole_initializer": initializer}


@keras.saving.register_keras_serializable(package="kerasseq")
class PeepholeLSTM(cell_layer.CellLayer):
    """LSTM whose gates see the memory cells, which helps it to time things.

        i_t = sigmoid(x_t W_i + h_{t-1} R_i + w_i * c_{t-1} + b_i)
        f_t = sigmoid(x_t W_f + h_{t-1} R_f + w_f * c_{t-1} + b_f)
        c_t = f_t * c_{t-1} + i_t * tanh(x_t W_c + h_{t-1} R_c + b_c)
        o_t = sigmoid(x_t W_o + h_{t-1} R_o + w_o * c_t + b_o)
        h_t = o_t * tanh(c_t)

    Each gate sees its own cell alone: `w` are vectors. The first three weights are
    those of `keras.layers.LSTM`; the fourth, `(3, units)`, holds `w_i`, `w_f`, `w_o`.
    It works inside `keras.layers.Bidirectional`.

    Masks may have any pattern: a masked step keeps the state and repeats the last
    output, or returns zeros with `zero_output_for_mask`.

    Args:
        units: Positive integer, dimensionality of the output.
        peephole_initializer: Initializer of `w`. Defaults to `"zeros"`: training
            starts from a plain LSTM, and there is no symmetry to break.
        **kwargs: The other arguments of `keras.layers.LSTM`, but for `use_cudnn`. Of
            `dropout` and `recurrent_dropout`, one mask per sequence is drawn.

    Call arguments:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_state: Optional list of two tensors `(batch_size, units)`, the hidden
            and the cell state. Zeros by default.
        mask: Optional boolean tensor `(batch_size, time)`; `False` skips the step.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, units)`, or `(batch_size, time, units)` with `return_sequences`;
        with `return_state` a tuple of that and the two final states.

    Example:
        >>> layer = kerasseq.layers.PeepholeLSTM(4, return_sequences=True)
        >>> layer(np.random.rand(32, 10, 8)).shape
        (32, 10, 4)

    Reference:
        Gers and Schmidhuber (2000), Recurrent Nets that Time and Count; the equations
        are 7 to 11 of Graves (2013), Generating Sequences With Recurrent Neural
        Networks.
    """

    cell_class = PeepholeLSTMCell
