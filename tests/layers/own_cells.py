"""Cells as other people write them, with what Keras' own do not have."""

import keras
from keras import ops


class Cell(keras.layers.Layer):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units))
        self.recurrent = self.add_weight(shape=(self.units, self.units))

    def call(self, x, states):
        h = ops.tanh(ops.matmul(x, self.kernel) + ops.matmul(states[0], self.recurrent))
        return h, [h]


class Narrow(Cell):
    """Outputs that are not as wide as the state."""

    output_size = 2

    def build(self, shape):
        super().build(shape)
        self.out = self.add_weight(shape=(self.units, 2))

    def call(self, x, states):
        h, states = super().call(x, states)
        return ops.matmul(h, self.out), states


class Unsaid(Narrow):
    """The same, but it does not say so."""

    output_size = None


class Nested(Cell):
    """States in a dict in a list, which come back as a tuple."""

    def __init__(self, units, **options):
        super().__init__(units, **options)
        self.state_size = [{"fast": units, "slow": units}, units]

    def get_initial_state(self, batch_size=None):
        zeros = ops.zeros((batch_size, self.units), self.compute_dtype)
        return [{"fast": zeros, "slow": zeros}, zeros]

    def call(self, x, states):
        h, _ = super().call(x, [states[0]["fast"]])
        slow = 0.9 * states[0]["slow"] + 0.1 * h
        return h + states[1], ({"fast": h, "slow": slow}, slow)


class Matrix(keras.layers.Layer):
    """A matrix as the state, as of fast weights."""

    state_size = [(3, 3)]
    output_size = (3, 3)

    def __init__(self, units=3, **options):
        super().__init__(**options)

    def build(self, shape):
        self.rows, self.columns = (
            self.add_weight(shape=(shape[-1], 3)) for _ in range(2)
        )

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, 3, 3), self.compute_dtype)]

    def call(self, x, states):
        left, right = ops.matmul(x, self.rows), ops.matmul(x, self.columns)
        state = 0.9 * states[0] + left[:, :, None] * right[:, None]
        return state, [state]


class WithDropout(Cell):
    """An attribute of the name that Keras' own cells have."""

    def __init__(self, units, **options):
        super().__init__(units, **options)
        self.dropout = keras.layers.Dropout(0.5, seed=1)
        self.project = "mine"

    def call(self, x, states, training=False):
        return super().call(self.dropout(x, training=training), states)


class OfLSTM(keras.layers.LSTMCell):
    def call(self, inputs, states, training=False):
        return super().call(inputs, states, training=training)


ALL = {
    c.__name__: keras.saving.register_keras_serializable("own_cells")(c)
    for c in (Cell, Narrow, Unsaid, Nested, Matrix, WithDropout)
}
