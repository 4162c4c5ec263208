"""An LSTM cell in two halves, of which the first needs no loop."""

import keras
from keras import ops


class SplitLSTMCell(keras.layers.LSTMCell):
    """Base of the cells that change the equations of `keras.layers.LSTMCell`.

    `project` runs once for the whole sequence: `input_gates`, the part of the gates
    that comes from the input, and `random_numbers`, what the steps draw. A subclass
    writes `step`, the part that runs in the loop. `call`, one step of both, is Keras'
    contract, so that the cell also works in `keras.layers.RNN`.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.dropout_mask_count = None  # one mask per sequence for all gates

    def project(self, sequences, training=False):
        """`{"gates": (..., 4 * units)}`, and what `random_numbers` gives."""
        product = ops.matmul(sequences, self.kernel)
        drawn = self.random_numbers(ops.shape(product)[:-1], training)
        return {"gates": self.input_gates(product), **drawn}

    def input_gates(self, product):
        """The input's part of the gates, from its product with the kernel."""
        return product + self.bias if self.use_bias else product

    def random_numbers(self, shape, training):
        """A dict of tensors `(*shape, units)`; none unless a subclass needs some."""
        return {}

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
