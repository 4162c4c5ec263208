"""The importance of words: by hand on a linear model, and on planted words."""

import jax_process
import keras
import numpy as np
import pytest

from kerasseq import explain, models

TOKENS = np.array([[3, 5, 4, 0], [2, 2, 0, 0]], "int32")
ON_JAX = """
import numpy as np
from kerasseq import explain, models
model = models.text_classifier(20, 3, arch="gru", units=8, embedding_dim=6)
found = explain.word_importance(model, np.array([[5, 6, 7, 0]], "int32"))
assert found.shape == (1, 4) and found[0, 3] == 0 and np.all(found[0, :3] != 0)
"""


def linear_model(table, kernel):
    """Logits are the sum over words of their embeddings' products with a matrix."""
    tokens = keras.Input((None,), dtype="int32")
    embedding = keras.layers.Embedding(*table.shape, name="embedding")
    x = keras.ops.sum(embedding(tokens), axis=1)
    dense = keras.layers.Dense(kernel.shape[1], use_bias=False)
    model = keras.Model(tokens, dense(x))
    model.set_weights([table, kernel])
    return model


class TestNumbers:
    def test_a_linear_model_is_the_sum_of_its_words(self):
        generator = np.random.default_rng(0)
        table, kernel = generator.normal(size=(6, 4)), generator.normal(size=(4, 3))
        found = explain.word_importance(linear_model(table, kernel), TOKENS, 1)
        each = table @ (kernel[:, 1] - kernel.mean(axis=1))
        expected = np.where(TOKENS, each[TOKENS], 0)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert found.dtype == "float32"

    def test_the_predicted_class_is_the_default(self):
        model = models.text_classifier(20, 3, arch="bilstm", units=8, embedding_dim=6)
        classes = np.asarray(model(TOKENS)).argmax(axis=-1)
        np.testing.assert_allclose(
            explain.word_importance(model, TOKENS),
            explain.word_importance(model, TOKENS, classes),
        )

    def test_the_words_that_make_the_class(self):
        generator = np.random.default_rng(1)
        tokens = generator.integers(2, 30, (512, 8)).astype("int32")
        labels = generator.integers(0, 2, 512)
        places = generator.integers(0, 8, 512)
        tokens[np.arange(512), places] = 30 + labels
        keras.utils.set_random_seed(0)
        model = models.text_classifier(32, 2, arch="cnn", units=12, embedding_dim=8)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss)
        model.fit(tokens, labels, 32, epochs=8, verbose=0)
        found = explain.word_importance(model, tokens[:64])
        assert np.mean(found.argmax(axis=1) == places[:64]) > 0.9

    def test_the_model_stays_as_it_is(self):
        model = models.text_classifier(20, 3, pooling="attention", units=8)
        before = model(TOKENS)
        explain.word_importance(model, TOKENS)
        again = keras.models.clone_model(model)
        again.set_weights(model.get_weights())
        np.testing.assert_allclose(again(TOKENS), before, atol=1e-6)

    @pytest.mark.slow
    def test_on_jax(self):
        result = jax_process.run("-c", ON_JAX, KERAS_BACKEND="jax")
        assert result.returncode == 0, result.stderr


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"class_index": 3}, "classes 0 to 2. Received: class_index=3"),
            ({"class_index": 0.5}, "None, an integer or 2 integers"),
            ({"class_index": [0, 1, 2]}, "2 integers"),
            ({"layer_name": "words"}, "layer_name='words'"),
        ],
    )
    def test_arguments(self, options, message):
        model = models.text_classifier(20, 3, arch="mlp", units=8, embedding_dim=6)
        with pytest.raises(ValueError, match=message):
            explain.word_importance(model, TOKENS, **options)

    def test_one_text_is_no_batch(self):
        model = models.text_classifier(20, 3, arch="mlp", units=8, embedding_dim=6)
        with pytest.raises(ValueError, match=r"tokens of shape \(4,\)"):
            explain.word_importance(model, TOKENS[0])
