import keras
import numpy as np
import pytest

from kerasseq import layers, ops

X = np.random.default_rng(0).normal(size=(40, 11, 31)).astype("float32")


def dropped(rate, noise_shape=None, seed=0, x=X, **options):
    layer = layers.Dropout(rate, noise_shape, seed, **options)
    return keras.ops.convert_to_numpy(layer(x, training=True))


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.9])
def test_the_fraction_is_the_rate_and_the_rest_is_scaled_up(rate):
    y = dropped(rate)
    deviation = (rate * (1 - rate) / X.size) ** 0.5
    assert abs(np.mean(y == 0) - rate) < 4 * deviation
    kept = y != 0
    np.testing.assert_allclose(y[kept], X[kept] / (1 - rate), rtol=1e-6)


def test_elements_drop_independently():
    zero = (dropped(0.5) == 0).reshape(-1).astype("float64")
    for distance in (1, 2, 3, 4, 31, 11 * 31):
        together = np.mean(zero[distance:] * zero[:-distance])
        assert abs(together - 0.25) < 0.02, distance


def test_a_noise_shape_drops_all_steps_together():
    zero = dropped(0.5, (None, 1, None)) == 0
    assert (zero == zero[:, :1]).all() and 0.4 < zero.mean() < 0.6


def test_calls_differ_and_seeds_repeat():
    layer = layers.Dropout(0.5, seed=3)
    first, second = (np.asarray(layer(X, training=True)) for _ in range(2))
    assert np.mean((first == 0) == (second == 0)) < 0.6
    np.testing.assert_array_equal(first, dropped(0.5, seed=3))
    assert np.any(first != dropped(0.5, seed=4))


def test_nothing_happens_outside_of_training_or_at_rate_zero():
    np.testing.assert_array_equal(layers.Dropout(0.5)(X), X)
    np.testing.assert_array_equal(dropped(0.0), X)
    assert not dropped(1.0).any()


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_types(dtype):
    y = layers.Dropout(0.25, dtype=dtype)(X, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == dtype.removeprefix("mixed_")
    assert abs(np.mean(keras.ops.convert_to_numpy(y) == 0) - 0.25) < 0.02


def test_infinities_that_drop_leave_no_nan():
    y = dropped(0.5, x=np.full((8, 8), np.inf, "float32"))
    assert {*np.unique(y)} == {0, np.inf}


def test_it_trains_under_xla_with_an_open_batch():
    model = keras.Sequential(
        [keras.Input((31,)), layers.Dropout(0.5), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse", jit_compile=True)
    model.fit(X[:, 0], np.ones(40), batch_size=16, verbose=0)


def test_probabilities():
    seeds = keras.random.SeedGenerator(0)
    for probability in (0.0, 0.3, 1.0):
        chosen = np.asarray(ops.random_choice((100, 101), probability, seeds))
        assert chosen.dtype == bool and abs(chosen.mean() - probability) < 0.02
