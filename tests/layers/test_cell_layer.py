"""What the layers of one new cell share: the loop, options, files, precision."""

import catalog
import keras
import numpy as np
import pytest
import reference

from kerasseq import layers

CELLS = {getattr(layers, name): cell for name, cell in catalog.NEW_CELLS.items()}
TIME, FEATURES, UNITS = 5, 3, 4
X = np.random.default_rng(0).normal(size=(3, TIME, FEATURES)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], bool)
every_class = pytest.mark.parametrize("layer_class", CELLS)


def built(layer):
    """Builds a layer, or a `Bidirectional` of one, with no weight at zero."""
    layer.build(X.shape)
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(0, 0.5, w.shape) for w in layer.weights])
    return layer


def weights_of(layer):
    return [w.astype("float64") for w in layer.get_weights()]


@every_class
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_equals_numpy_from_a_given_state(layer_class, go_backwards, masked):
    layer = layer_class(
        UNITS, return_sequences=True, return_state=True, go_backwards=go_backwards
    )
    built(layer)
    mask = MASK if masked else None
    count = len(layer.state_size)
    start = [np.full((3, UNITS), 0.3 * (k + 1), "float32") for k in range(count)]
    outputs, *states = layer(X, mask=mask, initial_state=start)
    cell = reference.CELLS[CELLS[layer_class]]
    expected = reference.run(cell, X, start, weights_of(layer), mask, go_backwards)
    np.testing.assert_allclose(outputs, expected[0], atol=1e-5)
    np.testing.assert_allclose(states, expected[1], atol=1e-5)


@every_class
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave", "mul"])
def test_bidirectional(layer_class, merge_mode):
    wrapped = layer_class(UNITS, return_sequences=True, return_state=True)
    layer = built(keras.layers.Bidirectional(wrapped, merge_mode=merge_mode))
    weights = weights_of(layer)
    half = len(weights) // 2
    outputs, *states = layer(X, mask=MASK)
    expected, _, ends = reference.stacked_rnn(
        CELLS[layer_class],
        X,
        [[weights[:half], weights[half:]]],
        MASK,
        merge=merge_mode,
    )
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_allclose(states, ends, atol=1e-5)


@every_class
def test_unrolled_in_chunks_and_cell_by_cell(layer_class):
    whole = built(layer_class(UNITS, return_sequences=True))
    expected = np.asarray(whole(X))
    unrolled = built(layer_class(UNITS, return_sequences=True, unroll=True))
    np.testing.assert_allclose(unrolled(X), expected, atol=1e-6)
    chunked = built(layer_class(UNITS, return_sequences=True, return_state=True))
    first, *states = chunked(X[:, :2])
    second, *_ = chunked(X[:, 2:], initial_state=states)
    np.testing.assert_allclose(np.hstack([first, second]), expected, atol=1e-6)
    stock_loop = keras.layers.RNN(whole.cell, return_sequences=True)
    np.testing.assert_allclose(stock_loop(X), expected, atol=1e-6)


@pytest.mark.parametrize(
    "cell_class",
    [x.cell for x in layers.CELLS.values() if hasattr(layers, x.cell.__name__)],
)
def test_cells_stack_in_our_loop_and_in_that_of_keras(cell_class):
    cells = [cell_class(UNITS), cell_class(2)]
    ours = layers.RNN(cells, return_sequences=True)
    stock = keras.layers.RNN(cells, return_sequences=True)
    np.testing.assert_allclose(ours(X, mask=MASK), stock(X, mask=MASK), atol=1e-5)


@every_class
@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
def test_dropout_acts_in_training_only(layer_class, kind):
    layer = built(layer_class(UNITS, **{kind: 0.5}, seed=1))
    inference = np.asarray(layer(X))
    np.testing.assert_array_equal(layer(X, training=False), inference)
    first, second = (np.asarray(layer(X, training=True)) for _ in range(2))
    assert not np.allclose(first, inference)
    assert not np.allclose(first, second)


@every_class
def test_config_and_file(layer_class, tmp_path):
    layer = layer_class(UNITS, dropout=0.1, go_backwards=True, kernel_regularizer="l2")
    again = layer_class.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.units == UNITS
    name = keras.saving.get_registered_name(layer_class)
    assert name == f"kerasseq>{layer_class.__name__}"

    inputs = keras.Input((TIME, FEATURES))
    outputs = keras.layers.Bidirectional(layer_class(UNITS, dropout=0.1))(inputs)
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(X), model(X))


@every_class
def test_mixed_precision(layer_class):
    layer = built(layer_class(UNITS, dtype="mixed_bfloat16", return_sequences=True))
    outputs = layer(X, mask=MASK, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert {w.dtype for w in layer.weights} == {"float32"}
    outputs = keras.ops.cast(layer(X, mask=MASK), "float32")
    precise = built(layer_class(UNITS, return_sequences=True))(X, mask=MASK)
    np.testing.assert_allclose(outputs, precise, atol=0.05)


@every_class
def test_bad_arguments(layer_class):
    with pytest.raises(ValueError, match="positive integer"):
        layer_class(0)
    with pytest.raises(ValueError, match="Unrecognized keyword .*'unit'"):
        layer_class(UNITS, unit=3)
    with pytest.raises(ValueError, match="expected ndim=3"):
        layer_class(UNITS)(X[0])
