"""Gradients of the recurrent layers, all options crossed, and the second order."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseq import layers

CELLS = {
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {}),
    "gru_reset_before": ("GRU", {"reset_after": False}),
    "gru_no_bias": ("GRU", {"use_bias": False}),
    "tanh": ("SimpleRNN", {}),
    "relu": ("SimpleRNN", {"activation": "relu"}),
}
BATCH, TIME, FEATURES, UNITS = 3, 4, 2, 3
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]], bool)
CHOICES = list(itertools.product([False, True], repeat=5))
NAMES = ["mask", "initial", "backwards", "state", "sequences"]
IDS = ["-".join(itertools.compress(NAMES, c)) or "plain" for c in CHOICES]


def build(package, kind, dtype="float64", **options):
    name, cell_options = CELLS[kind]
    layer = getattr(package, name)(UNITS, dtype=dtype, **cell_options, **options)
    layer.build((BATCH, TIME, FEATURES))
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(0, 0.7, w.shape) for w in layer.weights])
    return layer


def tensors(kind, dtype="float64"):
    """The input, and an initial state for each state of the cell."""
    generator = np.random.default_rng(2)
    shapes = [(BATCH, TIME, FEATURES)] + [(BATCH, UNITS)] * (1 + (kind == "lstm"))
    return [tf.constant(generator.normal(size=shape), dtype) for shape in shapes]


def loss(layer, values, initial, mask):
    outputs = layer(values[0], initial_state=values[1:] if initial else None, mask=mask)
    outputs = keras.tree.flatten(outputs)
    scaled = [
        tf.reduce_sum(
            x * tf.reshape(tf.cos(tf.range(tf.size(x), dtype=x.dtype)), x.shape)
        )
        for x in outputs
    ]
    return tf.add_n(scaled)


def gradients(layer, values, initial, mask):
    weights = [w.value for w in layer.trainable_weights]
    sources = weights + (values if initial else values[:1])
    with tf.GradientTape() as tape:
        tape.watch(sources)
        value = loss(layer, values, initial, mask)
    return [tf.convert_to_tensor(g).numpy() for g in tape.gradient(value, sources)]


def slope(layer, values, initial, mask, directions, step=1e-6):
    """The central difference of the loss along a direction of all sources."""
    arrays = layer.get_weights()
    count = len(arrays)
    sides = []
    for sign in (1, -1):
        moved = [a + sign * step * d for a, d in zip(arrays, directions, strict=False)]
        layer.set_weights(moved)
        pairs = zip(values, directions[count:], strict=False)
        inputs = [x + sign * step * d for x, d in pairs]
        sides.append(float(loss(layer, inputs, initial, mask)))
    layer.set_weights(arrays)
    return (sides[0] - sides[1]) / (2 * step)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("choice", CHOICES, ids=IDS)
def test_gradients_equal_differences_and_stock_keras(kind, choice):
    masked, initial, backwards, state, sequences = choice
    options = {
        "go_backwards": backwards,
        "return_state": state,
        "return_sequences": sequences,
    }
    mask = MASK if masked else None
    ours, stock = (build(p, kind, **options) for p in (layers, keras.layers))
    values = tensors(kind)
    found = gradients(ours, values, initial, mask)
    expected = gradients(stock, values, initial, mask)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)

    generator = np.random.default_rng(3)
    directions = [generator.normal(size=g.shape) for g in found]
    along = sum(np.sum(g * d) for g, d in zip(found, directions, strict=True))
    np.testing.assert_allclose(
        along, slope(ours, values, initial, mask, directions), rtol=1e-4, atol=1e-4
    )
