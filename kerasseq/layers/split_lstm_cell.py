"""An LSTM cell in two halves, of which the first needs no loop."""

import keras
from keras import ops


class SplitLSTMCell(keras.layers.LSTMCell):
    """Base of the cells that change the equations of `keras.layers.LSTMCell`.

    `project` is the share of the gates that comes from the input and runs once for
    the whole sequence; a subclass writes `step`, the share that runs in the loop.
    `call`, one step of both, is Keras' contract, so that the cell also works in
    `keras.layers.RNN`.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.dropout_mask_count = None  # one mask a sequence for all gates

    def project(self, sequences, training=False):
        projected = ops.matmul(sequences, self.kernel)
        return projected + self.bias if self.use_bias else projected

    def step(self, projected, states, training=False):
        raise NotImplementedError

    def call(self, inputs, states, training=False):
        if training and self.dropout:
            inputs = inputs * self.get_dropout_mask(inputs)
        return self.step(self.project(inputs, training), states, training)

    def recurrent_gates(self, h, training):
        """`h @ recurrent_kernel`, with the dropout mask drawn before the loop."""
        if training and self.recurrent_dropout:
            h = h * self.get_recurrent_dropout_mask(h)
        return ops.matmul(h, self.recurrent_kernel)
