"""Cells and inputs of other people: equal to Keras' own layers of the same weights."""

import keras
import numpy as np
import pytest
from keras import ops

import kerasseq
from tests.layers import own_cells

MASK = np.array([[0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], bool)


def both(run):
    """What `run` gives with Keras' layers and with ours, as arrays."""
    found = []
    for package in (keras.layers, kerasseq.layers):
        keras.utils.set_random_seed(0)
        found.append(ops.convert_to_numpy(run(package)))
    return found


def floats(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("cell", own_cells.ALL.values())
@pytest.mark.parametrize("mask", [None, MASK])
def test_any_cell(cell, mask):
    x = floats(3, 5, 4)
    stock, ours = both(
        lambda package: package.RNN(cell(3), return_sequences=True)(x, mask=mask)
    )
    np.testing.assert_allclose(ours, stock, atol=1e-6)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_integers(name):
    x = np.arange(12, dtype="int32").reshape(2, 3, 2)
    options = {"activation": "relu"} if name == "SimpleRNN" else {}
    stock, ours = both(lambda package: getattr(package, name)(4, **options)(x))
    np.testing.assert_allclose(ours, stock, rtol=1e-5)
    assert np.any(ours)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_a_state_of_one_row_and_a_mask_with_a_last_axis(name):
    x, state = floats(3, 5, 4), floats(1, 4)
    states = [state, state] if name == "LSTM" else state
    stock, ours = both(
        lambda package: getattr(package, name)(4, return_sequences=True)(
            x, mask=MASK[..., None], initial_state=states
        )
    )
    np.testing.assert_allclose(ours, stock, atol=1e-6)


def test_dropout_of_a_subclass_is_applied_once():
    options = {"kernel_initializer": "ones", "recurrent_initializer": "zeros"}
    linear = {"activation": "linear", "recurrent_activation": "linear"}
    layer = kerasseq.layers.RNN(
        own_cells.OfLSTM(
            1, dropout=0.5, seed=1, unit_forget_bias=False, **options, **linear
        )
    )
    y = ops.convert_to_numpy(layer(np.ones((2000, 1, 1), "float32"), training=True))
    assert y.max() == pytest.approx(2.0**3)  # input, candidate and output gate
    assert 0.45 < (y == 0).mean() < 0.55


@pytest.mark.parametrize("name", ["LSTMCell", "GRUCell"])
@pytest.mark.parametrize("rows", [1, 2, 33])
def test_a_stack_with_dropout_on_few_rows(name, rows):
    cell = getattr(keras.layers, name)
    cells = [cell(3, dropout=0.1, recurrent_dropout=0.1) for _ in range(2)]
    model = keras.Sequential([keras.Input((5, 4)), kerasseq.layers.RNN(cells)])
    model.compile("sgd", "mse", jit_compile=True)
    history = model.fit(floats(rows, 5, 4), floats(rows, 3), batch_size=32, verbose=0)
    assert np.isfinite(history.history["loss"][0])
