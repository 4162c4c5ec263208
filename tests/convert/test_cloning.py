import keras
import numpy as np
import pytest

from kerasseq.convert import cloning

layers = keras.layers


def same(config):
    return config


class Half(keras.initializers.Initializer):
    """Not registered."""

    def __call__(self, shape, dtype=None):
        return keras.ops.full(shape, 0.5, dtype)

    def get_config(self):
        return {}


class TestState:
    def test_bits_seeds_and_statistics(self):
        normalize = layers.Normalization()
        normalize.adapt(np.random.default_rng(0).normal(3, 2, (9, 3)))
        stack = [normalize, layers.Dropout(0.5), layers.Dense(2, dtype="bfloat16")]
        model = keras.Sequential([keras.Input((3,)), *stack])
        x = np.ones((4, 3), "float32")
        model(x, training=True)  # moves the seed on
        copy = cloning.recreate(model, same)
        for _ in range(2):
            wanted, got = model(x, training=True), copy(x, training=True)
            np.testing.assert_array_equal(wanted, got)

    @pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="strings are TensorFlow's"
    )
    def test_vocabulary(self):
        lookup = layers.StringLookup()
        lookup.adapt(["a", "b"])
        inputs = keras.Input((2,), dtype="string")
        model = keras.Model(inputs, layers.Embedding(3, 2)(lookup(inputs)))
        copy = cloning.recreate(model, same)
        words = keras.ops.convert_to_tensor([["a", "c"]])
        np.testing.assert_array_equal(copy(words), model(words))

    def test_compiled_inside(self):
        inner = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
        inner.compile("adam", lambda y_true, y_pred: y_pred)
        model = keras.Sequential([keras.Input((3,)), inner])
        assert not cloning.recreate(model, same).layers[0].compiled


def test_objects_that_are_not_registered():
    def own(x):
        return x

    dense = layers.Dense(2, activation=own, kernel_initializer=Half())
    model = keras.Sequential([keras.Input((3,)), dense])
    assert cloning.local_objects(model) == {"own": own, "Half": Half}
    copy = cloning.recreate(model, same).layers[0]
    assert copy.activation is own
    assert type(copy.kernel_initializer) is Half


def test_layer_shared_between_nested_models():
    dense = layers.Dense(3)
    model = keras.Sequential(
        [keras.Input((3,)), dense, keras.Sequential([keras.Input((3,)), dense])]
    )
    with pytest.raises(ValueError, match="share no layer.*re-created: 4 weights"):
        cloning.recreate(model, same)
