import keras
import numpy as np
import pytest

from kerasseq import layers

X = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")


def test_puts_the_token_before_every_sequence():
    layer = layers.ClassToken()
    assert not np.any(layer(X)[:, 0])  # zeros to begin with
    layer.set_weights([np.array([[[5.0, 6.0]]])])
    outputs = np.asarray(layer(X))
    np.testing.assert_array_equal(outputs[:, 0], [[5, 6]] * 3)
    np.testing.assert_array_equal(outputs[:, 1:], X)
    assert outputs.shape == layer.compute_output_shape(X.shape)


def test_unknown_length_and_batch():
    layer = layers.ClassToken()
    tokens = keras.Input((None, 2))
    model = keras.Model(tokens, layer(tokens))
    assert model.output_shape == (None, None, 2)
    assert model.predict(X, verbose=0).shape == (3, 5, 2)


def test_initializer_and_config():
    layer = layers.ClassToken("ones")
    assert np.all(layer(X)[:, 0] == 1)
    again = layers.ClassToken.from_config(layer.get_config())
    assert isinstance(again.initializer, keras.initializers.Ones)


def test_half_precision():
    assert layers.ClassToken(dtype="mixed_float16")(X).dtype == "float16"


def test_rank():
    with pytest.raises(ValueError, match=r"length, features.*shape \(3, 4, 2, 1\)"):
        layers.ClassToken()(X[..., None])
