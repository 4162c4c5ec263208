"""That graphs and their variables are freed, and the gradient is found everywhere."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from kerasseq import layers
from kerasseq.ops._manual_gradient import with_manual_gradient

SPEC = tf.TensorSpec((2, 5, 4))
LAYERS = {
    "LSTM": lambda: layers.LSTM(4),
    "AttentionDecoder": lambda: layers.AttentionDecoder(4),
    "AttentionDecoder-unfed": lambda: layers.AttentionDecoder(4, input_feeding=False),
}


def graphs():
    gc.collect()
    return [x for x in gc.get_objects() if isinstance(x, tf.Graph)]


UNFED = pytest.param("AttentionDecoder-unfed", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", ["LSTM", "AttentionDecoder", UNFED])
def test_what_was_traced_is_freed(name):
    """With `tf.custom_gradient` it is not. (A `fit` keeps its graph in any case.)"""

    def train():
        layer = LAYERS[name]()

        @tf.function(jit_compile=True)
        def step(x):
            with tf.GradientTape() as tape:
                y = layer(x) if name == "LSTM" else layer(x, x)
            return tape.gradient(y, layer.trainable_variables)

        assert None not in step(tf.zeros((2, 5, 3)))
        return [weakref.ref(w.value) for w in layer.weights]

    train()
    before = graphs()
    variables = train()
    assert len(graphs()) <= len(before)
    assert not any(ref() for ref in variables)


def twenty(x):
    """`3 * x`, whose gradient is said to be 20."""

    def forward(arguments):
        return [arguments["x"] * 3.0], {"kept": arguments["x"]}

    def backward(arguments, kept, upstream):
        return {"x": upstream[0] * 20.0 + 0 * kept["kept"]}

    return with_manual_gradient(forward, backward, {"x": x})[0]


@pytest.mark.parametrize("jit_compile", [True, False])
def test_with_a_tape_inside_and_outside(jit_compile):
    x = tf.constant(2.0)
    compiled = tf.function(twenty, jit_compile=jit_compile)

    def slope(function, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    inside = tf.function(lambda x: slope(twenty, x), jit_compile=jit_compile)
    nested = tf.function(lambda x: slope(compiled, x), jit_compile=jit_compile)
    found = [slope(twenty, x), slope(compiled, x), inside(x), nested(x)]
    np.testing.assert_array_equal(found, 20)
    assert compiled(x) == 6


def test_a_saved_model_has_the_gradients_too(tmp_path):
    layer = layers.LSTM(4)
    module = tf.Module()
    module.call = tf.function(lambda x: layer(layer(x)[:, None] + x), [SPEC])
    module.layer = layer
    x = tf.random.normal((2, 5, 4), seed=0)
    layer(x)

    def slope(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(function(x) ** 2)
        return tape.gradient(y, x)

    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    expected = slope(module.call)
    np.testing.assert_allclose(slope(loaded.call), expected, atol=1e-6)
