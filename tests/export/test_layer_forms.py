import keras
import numpy as np
import pytest

from kerasseq import export, lite
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


@pytest.mark.parametrize("order", [1, 2])
def test_normalizing_is_the_same(order):
    x = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    x = np.concatenate([x, 1e-8 * x, 0 * x])
    wanted = keras.ops.normalize(x, axis=-1, order=order, epsilon=1e-6)
    with layer_forms.substituted():
        received = keras.ops.normalize(x, axis=-1, order=order, epsilon=1e-6)
    np.testing.assert_allclose(received, wanted, rtol=1e-5)


def test_normalizing_nothing_in_a_file(tmp_path):
    layers_ = [keras.Input((3,), name="x"), layers.UnitNormalization(name="y")]
    model = keras.Sequential(layers_)
    report = export.export_model(model, tmp_path, quantize=["float16"])
    assert report["artifacts"][0]["gpu_refused_ops"] == []
    for file in ("model.tflite", "model_float16.tflite"):
        runner = lite.Runner(tmp_path / file)
        for size, wanted in ((0.0, 0.0), (1e-3, 3**-0.5), (5.0, 3**-0.5)):
            received = runner.run(x=np.full((1, 3), size))["y"]
            np.testing.assert_allclose(received, np.full((1, 3), wanted), rtol=1e-3)


def test_integers_and_open_sizes_are_left_to_keras():
    layer = layers.UpSampling2D(2)
    integers = np.arange(4, dtype="int64").reshape(1, 2, 2, 1)
    with layer_forms.substituted():
        assert keras.backend.standardize_dtype(layer(integers).dtype) == "int64"
        outputs = layer(keras.Input((None, None, 3)))
    assert outputs.shape == (None, None, None, 3)
