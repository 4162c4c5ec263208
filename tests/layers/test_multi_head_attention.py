import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import models
from kerasseq.layers.multi_head_attention import MultiHeadAttention

X = np.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32")
OPTIONS = {
    "plain": {},
    "no_bias": {"use_bias": False},
    "value_dim": {"value_dim": 6},
    "dropout_0": {"dropout": 0.0, "seed": 1},
}


@pytest.fixture
def products(monkeypatch):
    """The shapes of what went through one product."""
    shapes, project = [], MultiHeadAttention._project

    def spy(self, x):
        shapes.append(tuple(x.shape))
        return project(self, x)

    monkeypatch.setattr(MultiHeadAttention, "_project", spy)
    return shapes


def twins(**options):
    """Ours and Keras' own with the same weights, none of them zero."""
    ours, stock = (
        MultiHeadAttention(2, 4, **options),
        keras.layers.MultiHeadAttention(2, 4, **options),
    )
    generator = np.random.default_rng(1)
    for layer in (ours, stock):
        layer.build(X.shape, X.shape)
    # Larger ones make scores so sharp that the rounding of a processor shows.
    ours.set_weights([generator.normal(0, 0.3, w.shape) for w in ours.weights])
    stock.set_weights(ours.get_weights())
    return ours, stock


def gradients(layer, x, **call):
    """Gradients of a scalar by the input and all weights."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = ops.sum(ops.sin(layer(x, x, training=True, **call)))
    variables = [w.value for w in layer.trainable_weights]
    return tape.gradient(loss, [x, *variables])


@pytest.mark.parametrize("name", OPTIONS)
def test_equals_keras(name, products):
    ours, stock = twins(**OPTIONS[name])
    x = ops.convert_to_tensor(X)
    np.testing.assert_allclose(
        ours(x, x, training=True), stock(x, x, training=True), atol=2e-6
    )
    assert products == [X.shape]
    found, expected = (gradients(layer, x) for layer in (ours, stock))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_scores(training, products):
    ours, stock = twins()
    x = ops.convert_to_tensor(X)
    found, expected = (
        layer(x, x, return_attention_scores=True, training=training)
        for layer in (ours, stock)
    )
    assert len(products) == training
    assert tuple(found[1].shape) == (3, 2, 5, 5)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_dropout_of_the_weights(products):
    ours = MultiHeadAttention(2, 4, dropout=0.5, seed=0)
    x = ops.convert_to_tensor(X)
    first, second = (np.asarray(ours(x, x, training=True)) for _ in range(2))
    assert len(products) == 2 and np.any(first != second)
    assert np.all(np.asarray(ours(x, x)) == np.asarray(ours(x, x)))


@pytest.mark.parametrize(
    "options, call",
    [
        ({}, {"use_causal_mask": True}),
        ({}, {"attention_mask": np.tri(5, dtype=bool)[None]}),
        ({"use_gate": True}, {}),
        ({"output_shape": 3}, {}),
        ({"sliding_window": 1}, {}),
    ],
)
def test_all_else_is_left_to_keras(options, call, products):
    ours, stock = twins(**options)
    x = ops.convert_to_tensor(X)
    np.testing.assert_array_equal(
        ours(x, x, training=True, **call), stock(x, x, training=True, **call)
    )
    assert products == []


def test_two_sequences_and_inference_are_left_to_keras(products):
    ours, stock = twins()
    x, y = ops.convert_to_tensor(X), ops.convert_to_tensor(X[:, :3])
    np.testing.assert_array_equal(ours(x, y, training=True), stock(x, y, training=True))
    np.testing.assert_array_equal(ours(x, x), stock(x, x))
    assert products == []


def test_masked_sequences_are_left_to_keras(products):
    ids = np.array([[1, 2, 3, 0], [4, 0, 0, 0]])
    embedding = keras.layers.Embedding(5, 8, mask_zero=True)
    found = []
    for layer in twins():
        x = embedding(ids)  # anew, since attention takes the mask off
        found.append(np.asarray(layer(x, x, training=True)))
    np.testing.assert_array_equal(*found)
    assert products == []


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_model_trains_with_one_product(policy, products, tmp_path):
    x = keras.Input((5, 8))
    y = keras.layers.LayerNormalization(dtype=policy)(x)
    y = MultiHeadAttention(2, 4, dtype=policy, name="attention")(y, y)
    model = keras.Model(x, y)
    model.compile("sgd", "mse", jit_compile=True)
    losses = [model.train_on_batch(X, X) for _ in range(3)]
    assert losses[2] < losses[0]
    assert products == [(None, 5, 8)] or products == [X.shape]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(again.get_layer("attention"), MultiHeadAttention)
    np.testing.assert_array_equal(model(X), again(X))


def test_weight_files_go_both_ways(tmp_path, monkeypatch):
    def vit():
        sizes = {"patch_size": 4, "hidden_dim": 8, "num_layers": 1, "mlp_dim": 8}
        return models.vit((8, 8, 1), 3, **sizes)

    stock = vit()
    monkeypatch.setattr(keras.layers, "MultiHeadAttention", MultiHeadAttention)
    ours = vit()
    attention = ours.get_layer("block_1_attention")
    assert isinstance(attention, MultiHeadAttention)
    path, images = tmp_path / "model.weights.h5", np.ones((2, 8, 8, 1), "float32")
    stock.save_weights(path)
    ours.load_weights(path)
    np.testing.assert_array_equal(ours(images), stock(images))
    ours.set_weights([w + 0.1 for w in ours.get_weights()])
    ours.save_weights(path)
    stock.load_weights(path)
    np.testing.assert_array_equal(ours(images), stock(images))


def test_config():
    layer = MultiHeadAttention(2, 4, dropout=0.1, name="attention")
    config = layer.get_config()
    assert (
        config
        == keras.layers.MultiHeadAttention(
            2, 4, dropout=0.1, name="attention"
        ).get_config()
    )
    assert MultiHeadAttention.from_config(config).get_config() == config
