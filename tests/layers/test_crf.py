import keras
import numpy as np
import pytest

from kerasseq import layers, ops, training

X = np.random.default_rng(0).normal(size=(4, 6, 5)).astype("float32")


def test_shapes_and_dtype():
    layer = layers.CRF(3, dtype="mixed_bfloat16")
    outputs = layer(X)
    assert outputs.shape == layer.compute_output_shape(X.shape) == (4, 6, 3, 3)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"
    inputs = keras.Input((None, 5))
    assert layer(inputs).shape == (None, None, 3, 3)


def test_without_transitions_labels_are_independent():
    """Then it is a softmax per step."""
    layer = layers.CRF(3)
    found = np.asarray(layer(X))
    softmax = keras.ops.log_softmax(layer.dense(X), axis=-1)
    expected = np.broadcast_to(np.asarray(softmax)[:, :, None], found.shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_mask_of_an_embedding_is_used():
    ids = np.array([[3, 1, 2, 0, 0], [1, 2, 3, 4, 4]])
    layer = layers.CRF(3, transition_initializer="glorot_uniform")
    layer.build((None, None, 4))
    for weight in (layer.start, layer.end, layer.transitions):
        weight.assign(np.random.default_rng(1).normal(size=weight.shape))
    embedded = keras.layers.Embedding(5, 4, mask_zero=True)
    padded = np.asarray(layer(embedded(ids)))
    short = np.asarray(layer(embedded(ids[:1, :3])))
    np.testing.assert_allclose(padded[:1, :3], short, atol=1e-6)


def test_learns_what_no_step_tells_alone():
    """Labels alternate, and the inputs say only which comes first."""
    generator = np.random.default_rng(0)
    first = generator.integers(0, 2, (256, 1))
    labels = (first + np.arange(6)) % 2
    x = np.zeros((256, 6, 1), "float32")
    x[:, 0] = 2 * first - 1
    inputs = keras.Input((6, 1))
    model = keras.Model(inputs, layers.CRF(2)(inputs))
    loss, metrics = training.CRFLoss(), [training.CRFAccuracy()]
    optimizer = keras.optimizers.Adam(0.1)
    model.compile(optimizer, loss, weighted_metrics=metrics, jit_compile=True)
    history = model.fit(x, labels, batch_size=50, epochs=12, verbose=0).history
    assert history["accuracy"][-1] == 1
    assert history["loss"][-1] < 0.2
    assert np.all(np.asarray(ops.best_path(model.predict(x, verbose=0))) == labels)


def test_config():
    layer = layers.CRF(3, kernel_initializer="zeros", name="crf")
    again = layers.CRF.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert isinstance(again.kernel_initializer, keras.initializers.Zeros)


def test_errors():
    with pytest.raises(ValueError, match="units=0"):
        layers.CRF(0)
    with pytest.raises(ValueError, match="ndim=3"):
        layers.CRF(3)(X[0])
