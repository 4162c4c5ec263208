import keras
import numpy as np
import pytest

from kerasseq import layers

X = np.random.default_rng(0).normal(size=(20, 30, 3)).astype("float32")
UNITS = 16


def states_by_step(layer, training):
    """`h` and `c` after each step."""
    h, c = [], []
    states = [np.zeros((len(X), UNITS), "float32")] * 2
    for t in range(X.shape[1]):
        _, *states = layer(X[:, t : t + 1], initial_state=states, training=training)
        h.append(states[0])
        c.append(states[1])
    return np.stack(h), np.stack(c)


def test_without_zoneout_it_is_the_lstm_of_keras():
    layer = layers.ZoneoutLSTM(UNITS, zoneout_h=0, zoneout_c=0)
    stock = keras.layers.LSTM(UNITS)
    stock.build(X.shape)
    layer.build(X.shape)
    layer.set_weights(stock.get_weights())
    for training in (False, True):
        np.testing.assert_allclose(layer(X, training=training), stock(X), atol=1e-6)


def test_the_rates_are_the_shares_of_units_kept():
    rates = {"zoneout_h": 0.3, "zoneout_c": 0.6, "seed": 1}
    layer = layers.ZoneoutLSTM(UNITS, return_state=True, **rates)
    for states, rate in zip(states_by_step(layer, True), (0.3, 0.6), strict=True):
        kept = states[1:] == states[:-1]
        assert abs(kept.mean() - rate) < 0.02
        assert abs(kept.mean((0, 1)) - rate).max() < 0.1  # each unit alike

    # A loop over all steps draws a new mask at each of them.
    sequence = layers.ZoneoutLSTM(UNITS, return_sequences=True, **rates)
    h = np.asarray(sequence(X, training=True))
    kept = h[:, 1:] == h[:, :-1]
    assert abs(kept.mean() - 0.3) < 0.02
    assert abs(kept.mean((0, 2)) - 0.3).max() < 0.15  # each step alike
    assert not np.array_equal(h, sequence(X, training=True))


def test_inference_is_the_expectation_of_a_step():
    layer = layers.ZoneoutLSTM(UNITS, zoneout_h=0.3, zoneout_c=0.6, return_state=True)
    start = [np.full((len(X), UNITS), value, "float32") for value in (0.5, -2.0)]
    step = X[:, :1]
    draws = [layer(step, initial_state=start, training=True) for _ in range(400)]
    for found, *drawn in zip(layer(step, initial_state=start), *draws, strict=True):
        # 400 draws of a jump of at most 1.5: four standard errors are 0.15.
        np.testing.assert_allclose(found, np.mean(drawn, axis=0), atol=0.15)
        assert abs(np.mean(np.asarray(found) - np.mean(drawn, axis=0))) < 0.005


def test_the_new_output_sees_the_cell_before_zoneout():
    """`c` kept almost surely at 0 would silence `h`, were it not so."""
    layer = layers.ZoneoutLSTM(UNITS, zoneout_h=0.0, zoneout_c=0.999, seed=1)
    assert np.abs(layer(X, training=True)).max() > 0.1


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="JAX draws no numbers in a loop"
)
def test_the_loop_of_keras_draws_masks_too():
    cell = layers.ZoneoutLSTMCell(UNITS, seed=1)
    layer = keras.layers.RNN(cell, return_sequences=True)
    h = np.asarray(layer(X, training=True))
    assert abs((h[:, 1:] == h[:, :-1]).mean() - 0.05) < 0.02


def test_config_holds_the_rates():
    layer = layers.ZoneoutLSTM(UNITS, zoneout_h=0.2, zoneout_c=0.1)
    config = layers.ZoneoutLSTM.from_config(layer.get_config()).get_config()
    assert (config["zoneout_h"], config["zoneout_c"]) == (0.2, 0.1)


def test_bad_arguments():
    for name in ("zoneout_h", "zoneout_c"):
        for rate in (-0.1, 1.0):
            with pytest.raises(ValueError, match=f"Received: {name}={rate}"):
                layers.ZoneoutLSTM(UNITS, **{name: rate})
