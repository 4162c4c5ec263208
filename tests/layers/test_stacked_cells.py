"""`RNN` over a list of cells, each run over the whole sequence, against stock Keras."""

import itertools

import keras
import numpy as np
import pytest

from kerasseq import layers

X = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], bool)


def stack(package, **options):
    cells = [
        keras.layers.LSTMCell(3),
        keras.layers.GRUCell(2),
        keras.layers.LSTMCell(4),
    ]
    layer = package.RNN(cells, return_state=True, **options)
    layer.build(X.shape)
    return layer


@pytest.mark.parametrize(
    "backwards, sequences, masked, zeros", [*itertools.product([False, True], repeat=4)]
)
def test_equals_stock(backwards, sequences, masked, zeros):
    options = {
        "go_backwards": backwards,
        "return_sequences": sequences,
        "zero_output_for_mask": zeros,
    }
    ours, stock = (stack(package, **options) for package in (layers, keras.layers))
    stock.set_weights(ours.get_weights())
    mask = MASK if masked else None
    found, expected = (
        keras.tree.flatten(layer(X, mask=mask)) for layer in (ours, stock)
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
