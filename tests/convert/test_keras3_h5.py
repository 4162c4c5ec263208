"""Files `.h5` of Keras 3, of which Keras 3 itself reads those without operations."""

import keras
import numpy as np
import pytest

import kerasseq
from kerasseq import convert

layers = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")


@pytest.fixture
def model():
    words, numbers = keras.Input((6,), name="words"), keras.Input((6, 5), name="x")
    part = keras.Sequential(
        [keras.Input((5,)), layers.Dense(5), layers.BatchNormalization()], name="part"
    )
    x = layers.Embedding(9, 5, mask_zero=True)(words)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    y = layers.TimeDistributed(layers.Dense(5))(numbers) * 2 + x[:, :, :5]
    y = layers.Add()([part(y[:, -1]), part(keras.ops.mean(y, axis=1))])
    y = layers.Dense(5, kernel_regularizer="l2", activation="relu")(y)
    return keras.Model([words, numbers], [y, kerasseq.layers.LSTM(3)(x)])


def test_operations(model, tmp_path):
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.uniform(0.1, 1, weight.shape))
    inputs = [rng.integers(0, 9, (3, 6)), rng.normal(size=(3, 6, 5)).astype("float32")]
    examples = {f"input_{i}": x for i, x in enumerate(inputs)}
    examples |= {f"output_{i}": np.array(y) for i, y in enumerate(model(inputs))}
    model.save(tmp_path / "old.h5")
    new, report = convert.import_keras2(
        tmp_path / "old.h5", tmp_path / "new.keras", examples=examples, tolerance=1e-6
    )
    assert report["keras_version"].startswith("3.")
    assert "`import kerasseq.layers`" in " ".join(report["notes"])
    assert report["num_weights"] == len(model.weights)
    assert "part/dense" in str([row["name"] for row in report["layers"]])
    for old, weight in zip(model.weights, new.weights, strict=True):
        np.testing.assert_array_equal(old, weight)
    keras.saving.load_model(tmp_path / "new.keras")


def test_code_is_never_run(tmp_path):
    inputs = keras.Input((2,))
    x = layers.Lambda(lambda x: x * 2, name="twice")(inputs)
    keras.Model(inputs, x).save(tmp_path / "old.h5")
    with pytest.raises(ValueError, match="'twice' of class Lambda.*never run"):
        convert.import_keras2(tmp_path / "old.h5", tmp_path / "new.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["old.h5"]


def test_own_class(tmp_path):
    class Twice(layers.Layer):
        def call(self, inputs):
            return inputs * 2

    keras.Sequential([keras.Input((2,)), Twice(name="own")]).save(tmp_path / "old.h5")
    with pytest.raises(ValueError, match="'own' of class Twice: Keras 3 has no"):
        convert.import_keras2(tmp_path / "old.h5")
    given = {"Twice": Twice}
    model, _ = convert.import_keras2(tmp_path / "old.h5", custom_objects=given)
    assert isinstance(model.layers[0], Twice)
