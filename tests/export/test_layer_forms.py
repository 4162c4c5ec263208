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


def squared_distances(x):
    """Of each pair of points: `(b, n, 1) + (b, 1, n) - 2 (b, n, n)`."""
    squares = keras.ops.sum(x * x, axis=-1, keepdims=True)
    products = keras.ops.matmul(x, keras.ops.transpose(x, (0, 2, 1)))
    return squares + keras.ops.transpose(squares, (0, 2, 1)) - 2 * products


SUMS = {
    "column": lambda x: x + layers.Dense(1)(x),
    "layer": lambda x: layers.Add()([x, layers.Dense(1)(x)]),
    "distances": squared_distances,
    "row": lambda x: x + keras.ops.mean(x, axis=1, keepdims=True),
    "bias": lambda x: layers.Dense(4)(x),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_are_those_of_any_batch(name, tmp_path):
    """Keras takes `(1, n, 1)` for a bias of the last axis if that has n entries too."""
    x = keras.Input((4, 4), name="x")
    model = keras.Model(x, SUMS[name](x))
    rows = np.random.default_rng(0).normal(size=(3, 4, 4)).astype("float32")
    wanted = model.predict(rows, verbose=0)
    report = export.export_model(model, tmp_path)
    runner = lite.Runner(tmp_path / "model.tflite")
    for row, expected in zip(rows, wanted, strict=True):
        (received,) = runner.run(x=row[None]).values()
        np.testing.assert_allclose(received[0], expected, atol=1e-5)
    assert not [x for x in report["warnings"] if "a row alone" in x]


@pytest.mark.parametrize("kinds", ["ff", "fi", "if", "ii"])
def test_sums_have_the_same_type(kinds):
    sides = [np.ones((2, 3, 1), {"f": "float32", "i": "int64"}[kind]) for kind in kinds]
    wanted = keras.ops.add(*sides)
    with layer_forms.substituted():
        received = keras.ops.add(*sides)
        assert keras.ops.add(sides[0], 1).dtype == wanted.dtype or kinds == "if"
    assert received.dtype == wanted.dtype
    np.testing.assert_array_equal(received, wanted)


def test_a_model_that_looks_at_the_other_rows(tmp_path):
    x = keras.Input((3,), name="x")
    model = keras.Model(x, x - keras.ops.std(x, axis=0, keepdims=True) * x)
    assert not export.export_model(model, tmp_path)["warnings"][1:]
    model = keras.Model(x, x / (1 + keras.ops.sum(x * x, axis=0, keepdims=True)))
    warnings = export.export_model(model, tmp_path)["warnings"]
    assert any("for the same row twice: output" in text for text in warnings)
