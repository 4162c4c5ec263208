import keras
import numpy as np
import pytest

from kerasseq.export import layer_forms

layers = keras.layers


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_upsampling_is_the_same(data_format, interpolation):
    layer = layers.UpSampling2D((2, 3), data_format, interpolation)
    images = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype("float32")
    wanted = layer(images)
    with layer_forms.substituted():
        received = layer(images)
    np.testing.assert_allclose(received, wanted, rtol=1e-6)
    assert layer(images).shape == wanted.shape


def test_integers_and_open_sizes_are_left_to_keras():
    layer = layers.UpSampling2D(2)
    integers = np.arange(4, dtype="int64").reshape(1, 2, 2, 1)
    with layer_forms.substituted():
        assert keras.backend.standardize_dtype(layer(integers).dtype) == "int64"
        outputs = layer(keras.Input((None, None, 3)))
    assert outputs.shape == (None, None, None, 3)
