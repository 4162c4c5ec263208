import keras
import numpy as np
import pytest

from kerasseq import layers


def test_starts_as_the_paper_says():
    layer = layers.IRNN(50)
    layer.build((None, None, 40))
    kernel, recurrent_kernel, bias = layer.get_weights()
    assert abs(kernel.std() / 0.001 - 1) < 0.1
    np.testing.assert_array_equal(recurrent_kernel, np.eye(50))
    np.testing.assert_array_equal(bias, 0)
    other = layers.IRNN(50)
    other.build((None, None, 40))
    assert not np.array_equal(other.get_weights()[0], kernel)


def test_holds_the_weights_of_the_simple_rnn_of_keras():
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    stock = keras.layers.SimpleRNN(5, activation="relu")
    layer, expected = layers.IRNN(5), stock(x)
    layer.build(x.shape)
    layer.set_weights(stock.get_weights())
    np.testing.assert_allclose(layer(x), expected, atol=1e-6)


def test_adds_up_what_is_positive():
    layer = layers.IRNN(2, kernel_initializer="identity", return_sequences=True)
    x = np.array([[[1.0, -1], [2, 5], [-1, 1], [-9, 0]]])
    expected = [[[1.0, 0], [3, 5], [2, 6], [0, 6]]]
    np.testing.assert_array_equal(layer(x), expected)


def test_the_gradient_stays_over_many_steps():
    layer = layers.IRNN(4, kernel_initializer="zeros")
    stepped = layer(np.zeros((1, 300, 3)), initial_state=[np.full((1, 4), 0.25)])
    np.testing.assert_array_equal(stepped, np.full((1, 4), 0.25))


def test_initializers_come_back():
    other = keras.initializers.Constant(0.1)
    layer = layers.IRNN(3, recurrent_initializer=other, kernel_initializer="zeros")
    again = layers.IRNN.from_config(layer.get_config())
    again.build((None, None, 2))
    np.testing.assert_allclose(again.get_weights()[1], 0.1)
    np.testing.assert_array_equal(again.get_weights()[0], 0)


def test_bad_arguments():
    with pytest.raises(ValueError, match="no_such"):
        layers.IRNN(3, kernel_initializer="no_such")
