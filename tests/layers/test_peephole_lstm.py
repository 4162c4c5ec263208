import keras
import numpy as np
import pytest

from kerasseq import layers

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")


def test_starts_as_a_plain_lstm():
    layer, stock = layers.PeepholeLSTM(5), keras.layers.LSTM(5)
    stock.build(X.shape)
    layer.build(X.shape)
    shapes = [tuple(w.shape) for w in layer.weights]
    assert shapes == [(3, 20), (5, 20), (20,), (3, 5)]
    layer.set_weights([*stock.get_weights(), np.zeros((3, 5))])
    np.testing.assert_allclose(layer(X), stock(X), atol=1e-6)
    np.testing.assert_array_equal(layers.PeepholeLSTM(5).cell.use_bias, True)


def test_input_and_forget_gate_see_the_old_cell_and_output_gate_the_new():
    """One unit with linear gates and nothing but peepholes: numbers by hand."""
    linear = {"activation": "linear", "recurrent_activation": "linear"}
    layer = layers.PeepholeLSTM(1, use_bias=False, return_state=True, **linear)
    layer.build((None, 1, 1))
    layer.cell.kernel.assign([[0.0, 0.0, 1.0, 0.0]])  # the input is the candidate
    layer.cell.recurrent_kernel.assign(np.zeros((1, 4)))
    layer.cell.peephole_kernel.assign([[2.0], [3.0], [5.0]])
    start = [np.zeros((1, 1)), np.full((1, 1), 7.0)]
    h, _, c = layer(np.full((1, 1, 1), 11.0), initial_state=start)
    # i = 2 * 7 = 14, f = 3 * 7 = 21, c = 21 * 7 + 14 * 11, o = 5 c, h = o c
    assert float(c[0, 0]) == 301
    assert float(h[0, 0]) == 5 * 301**2


def test_peephole_initializer():
    layer = layers.PeepholeLSTM(5, peephole_initializer=keras.initializers.Constant(2))
    again = layers.PeepholeLSTM.from_config(layer.get_config())
    again.build(X.shape)
    np.testing.assert_array_equal(again.cell.peephole_kernel, 2)


def test_bad_arguments():
    with pytest.raises(ValueError, match="no_such"):
        layers.PeepholeLSTM(5, peephole_initializer="no_such")
