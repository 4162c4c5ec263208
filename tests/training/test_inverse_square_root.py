import keras
import numpy as np
import pytest

from kerasseq import training


def test_equation_3_of_the_paper():
    hidden_dim, warmup = 512, 4000
    schedule = training.InverseSquareRoot((hidden_dim * warmup) ** -0.5, warmup)
    for step in (1, 100, 4000, 100000):
        expected = hidden_dim**-0.5 * min(step**-0.5, step * warmup**-1.5)
        np.testing.assert_allclose(float(schedule(step)), expected, rtol=1e-5)
    assert 0 < float(schedule(0)) < 1e-5


def test_is_kept_by_an_optimizer():
    optimizer = keras.optimizers.Adam(training.InverseSquareRoot(1e-3, 10))
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()


def test_bad_argument():
    with pytest.raises(ValueError, match="warmup_steps=0"):
        training.InverseSquareRoot(1e-3, 0)
