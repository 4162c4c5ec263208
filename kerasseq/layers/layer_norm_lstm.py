"""LSTM with layer normalization."""

import keras
from keras import ops

from kerasseq.layers import cell_layer, split_lstm_cell


@keras.saving.register_keras_serializable(package="kerasseq")
class LayerNormLSTMCell(split_lstm_cell.SplitLSTMCell):
    """Cell of `LayerNormLSTM`, for stacks in `RNN`.

    Args:
        units: Positive integer, dimensionality of the output.
        epsilon: Small number added to the variances.
        **kwargs: The other arguments of `keras.layers.LSTMCell`.

    Example:
        >>> cells = [kerasseq.layers.LayerNormLSTMCell(4) for _ in range(2)]
        >>> kerasseq.layers.RNN(cells)(x).shape
        (32, 4)
    """

    def __init__(self, units, *, epsilon=1e-5, **kwargs):
        super().__init__(units, **kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        super().build(input_shape)
        gates, units = (4 * self.units,), (self.units,)
        self.kernel_gain = self.add_weight(gates, "ones", name="kernel_gain")
        self.recurrent_gain = self.add_weight(gates, "ones", name="recurrent_gain")
        self.state_gain = self.add_weight(units, "ones", name="state_gain")
        self.state_bias = None
        if self.use_bias:
            self.state_bias = self.add_weight(units, "zeros", name="state_bias")

    def input_gates(self, product):
        bias = self.bias if self.use_bias else None
        return self._normalize(product, self.kernel_gain, bias)

    def step(self, projected, states, training=False):
        h, c = states
        recurrent = self.recurrent_gates(h, training)
        gates = projected["gates"] + self._normalize(recurrent, self.recurrent_gain)
        i, f, g, o = ops.split(gates, 4, axis=-1)
        activate = self.recurrent_activation
        c = activate(f) * c + activate(i) * self.activation(g)
        normalized = self._normalize(c, self.state_gain, self.state_bias)
        h = activate(o) * self.activation(normalized)
        return h, [h, c]

    def _normalize(self, x, gain, bias=None):
        """Statistics are in float32 also where `x` is not."""
        return ops.layer_normalization(x, gain, bias, epsilon=self.epsilon)

    def get_config(self):
        return super().get_config() | {"epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="kerasseq")
class LayerNormLSTM(cell_layer.CellLayer):
    """LSTM with layer normalization of its gates and its output.

    With `LN(z) = (z - mean) / sqrt(variance + epsilon)` over the features of a step:

        i, f, g, o = LN(x_t W) * gain_x + LN(h_{t-1} R) * gain_h + b
        c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g)
        h_t = sigmoid(o) * tanh(LN(c_t) * gain_c + b_c)

    This is the paper's variant: a norm runs over all four gates together, input and
    state have a norm each, and the state that is carried on, `c_t`, is not
    normalized. The offsets of the first two norms would add up with `b` and are part
    of it. The first three weights have the shapes of those of `keras.layers.LSTM`;
    then come `gain_x`, `gain_h`, `gain_c` and `b_c`. It works inside
    `keras.layers.Bidirectional`.

    Masks may have any pattern: a masked step keeps the state and repeats the last
    output, or returns zeros with `zero_output_for_mask`.

    Args:
        units: Positive integer, dimensionality of the output.
        epsilon: Small number added to the variances. Defaults to `1e-5`.
        **kwargs: The other arguments of `keras.layers.LSTM`, but for `use_cudnn`.
            `use_bias=False` leaves out both `b` and `b_c`. Of `dropout` and
            `recurrent_dropout`, one mask per sequence is drawn.

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
        >>> layer = kerasseq.layers.LayerNormLSTM(4, return_sequences=True)
        >>> layer(np.random.rand(32, 10, 8)).shape
        (32, 10, 4)

    Reference:
        Ba, Kiros and Hinton (2016), Layer Normalization, equations 20 to 22.
    """

    cell_class = LayerNormLSTMCell
