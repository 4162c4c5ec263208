import keras
import numpy as np
import pytest

from kerasseq import layers

X = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")


def test_weights():
    layer = layers.LayerNormLSTM(5)
    layer.build((None, None, 3))
    shapes = [tuple(w.shape) for w in layer.weights]
    assert shapes == [(3, 20), (5, 20), (20,), (20,), (20,), (5,), (5,)]
    kernel_gain, recurrent_gain, state_gain, state_bias = layer.get_weights()[3:]
    for gain in (kernel_gain, recurrent_gain, state_gain):
        np.testing.assert_array_equal(gain, 1)
    np.testing.assert_array_equal(state_bias, 0)
    without = layers.LayerNormLSTM(5, use_bias=False)
    without.build((None, None, 3))
    assert len(without.weights) == 5


def test_one_step_by_hand():
    """Two units, no state: the gates are those of the normalized input."""
    layer = layers.LayerNormLSTM(2, unit_forget_bias=False, epsilon=0.0)
    layer.build((None, 1, 1))
    kernel = np.array([[1.0, 1, 1, 1, 1, -1, -1, -5]])  # mean -1/4, variance 63/16
    layer.cell.kernel.assign(kernel)
    z = (kernel[0] + 0.25) / np.sqrt(kernel[0].var())
    c = 1 / (1 + np.exp(-z[:2])) * np.tanh(z[4:6])
    c = np.sign(c - c.mean())  # two numbers, normalized, are -1 and 1
    expected = 1 / (1 + np.exp(-z[6:])) * np.tanh(c)
    start = [np.array([[1.0, -1.0]]), np.zeros((1, 2))]
    layer.cell.recurrent_gain.assign(np.zeros(8))
    found = layer(np.ones((1, 1, 1)), initial_state=start)
    np.testing.assert_allclose(found, [expected], atol=1e-6)


def test_the_scale_of_the_weights_does_not_matter():
    """Without epsilon the outputs do not see a factor on a matrix (table 1)."""
    layer = layers.LayerNormLSTM(5, return_sequences=True, epsilon=1e-12)
    start = [np.ones((2, 5), "float32")] * 2
    before = np.asarray(layer(X, initial_state=start))
    layer.cell.kernel.assign(3 * layer.cell.kernel)
    layer.cell.recurrent_kernel.assign(0.5 * layer.cell.recurrent_kernel)
    np.testing.assert_allclose(layer(X, initial_state=start), before, atol=1e-5)


def test_statistics_are_in_float32():
    """In float16 the squares of these numbers would overflow."""
    layer = layers.LayerNormLSTM(5, dtype="mixed_float16")
    outputs = keras.ops.convert_to_numpy(layer(3e3 * X))
    precise = layers.LayerNormLSTM(5)
    precise.build(X.shape)
    precise.set_weights(layer.get_weights())
    np.testing.assert_allclose(outputs, precise(3e3 * X), atol=0.02)


def test_bad_arguments():
    with pytest.raises(ValueError, match="Could not interpret activation"):
        layers.LayerNormLSTM(5, activation="no_such")
