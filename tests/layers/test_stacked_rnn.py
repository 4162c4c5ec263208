import keras
import numpy as np
import pytest
import reference

from kerasseq import layers

TIME, FEATURES, UNITS = 5, 3, 4
X = np.random.default_rng(0).normal(size=(3, TIME, FEATURES)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], bool)
CELLS = list(reference.CELLS)
SHAPES = [
    {},
    {"residual": True},
    {"bidirectional": True},
    {"bidirectional": True, "residual": True, "merge_mode": "sum"},
    {"bidirectional": True, "residual": True, "merge_mode": "ave", "num_layers": 3},
    {"bidirectional": True, "residual": True, "merge_mode": "mul"},
    {"num_layers": 1, "residual": True},
]


def stack(cell="lstm", num_layers=2, **options):
    layer = layers.StackedRNN(UNITS, num_layers, cell, **options)
    layer.build(X.shape)
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(0, 0.5, w.shape) for w in layer.weights])
    return layer


def initial_states(layer):
    generator = np.random.default_rng(2)
    return [generator.normal(size=(3, *n)).astype("float32") for n in layer.state_size]


def nested(items, layer):
    """A flat list sorted by layer and direction."""
    directions = 2 if layer.bidirectional else 1
    each = len(items) // (layer.num_layers * directions)
    parts = [items[k : k + each] for k in range(0, len(items), each)]
    return [parts[k : k + directions] for k in range(0, len(parts), directions)]


def in_numpy(layer, mask, states):
    weights = [w.astype("float64") for w in layer.get_weights()]
    outputs, final, ends = reference.stacked_rnn(
        layer.cell,
        X,
        nested(weights, layer),
        mask,
        None if states is None else nested(states, layer),
        merge=layer.merge_mode,
        residual=layer.residual,
    )
    return [outputs if layer.return_sequences else final, *ends]


def check(layer, mask=None, from_states=False):
    states = initial_states(layer) if from_states else None
    expected = in_numpy(layer, mask, states)
    found = layer(X, initial_state=states, mask=mask)
    assert len(found) == len(expected) == 1 + len(layer.state_size)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_equals_numpy(cell):
    check(stack(cell, return_sequences=True, return_state=True), MASK, True)


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_each_shape_equals_numpy(shape, return_sequences):
    layer = stack(return_sequences=return_sequences, return_state=True, **shape)
    check(layer)
    check(layer, MASK, from_states=True)


def test_without_options_it_is_the_layer():
    layer = stack("gru", num_layers=1)
    stock = keras.layers.GRU(UNITS)
    stock.build(X.shape)
    stock.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(X), stock(X), atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_chunks_equal_the_whole(cell):
    layer = stack(cell, residual=True, return_sequences=True, return_state=True)
    whole, *final = layer(X)
    outputs, states = [], layer.get_initial_state(len(X))
    for chunk in (X[:, :2], X[:, 2:3], X[:, 3:]):
        output, *states = layer(chunk, initial_state=states)
        outputs.append(output)
    np.testing.assert_allclose(np.concatenate(outputs, 1), whole, atol=1e-6)
    np.testing.assert_allclose(states, final, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_steps_equal_the_whole(cell):
    layer = stack(cell, residual=True, return_sequences=True, return_state=True)
    whole, *final = layer(X)
    states = layer.get_initial_state(len(X))
    for time in range(TIME):
        output, states = layer.step(X[:, time], states)
        np.testing.assert_allclose(output, whole[:, time], atol=1e-6)
    np.testing.assert_allclose(states, final, atol=1e-6)


def test_states_as_inputs_of_a_functional_model():
    layer = stack(return_sequences=True, return_state=True)
    inputs = keras.Input((None, FEATURES))
    states = [keras.Input(size) for size in layer.state_size]
    model = keras.Model([inputs, *states], layer(inputs, initial_state=states))
    assert [x.shape for x in model.outputs] == [(None, None, 4), *[(None, 4)] * 4]
    given = initial_states(layer)
    expected = in_numpy(layer, None, given)
    for a, b in zip(model([X, *given]), expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("options", SHAPES + [{"return_state": True}], ids=str)
def test_shapes_are_known_before_the_call(options):
    for sequences in (False, True):
        layer = stack(return_sequences=sequences, **options)
        found = keras.tree.map_structure(lambda x: tuple(x.shape), layer(X))
        assert layer.compute_output_shape(X.shape) == found


def test_masks_pass_through():
    ids = np.array([[1, 2, 3], [4, 5, 0]])
    embedded = keras.layers.Embedding(6, FEATURES, mask_zero=True)(ids)
    for state in (False, True):
        layer = stack(return_sequences=True, return_state=state)
        outputs = layer(embedded)
        outputs = outputs[0] if state else outputs
        np.testing.assert_array_equal(outputs._keras_mask, ids != 0)
        # A masked step keeps the state, and so repeats the output.
        np.testing.assert_array_equal(outputs[1, 2], outputs[1, 1])
    assert stack().compute_mask(embedded, ids != 0) is None


@pytest.mark.parametrize("variational", [False, True])
def test_dropout_between_the_layers(variational):
    """The top layer adds nothing: what comes out is what was dropped."""
    keras.utils.set_random_seed(0)
    layer = stack(
        "simple_rnn", dropout=0.5, variational=variational, return_sequences=True
    )
    top = layer.recurrent_layers[1]
    top.cell.activation = keras.activations.linear
    top.set_weights([np.eye(UNITS), np.zeros((UNITS, UNITS)), np.zeros(UNITS)])
    outputs = np.asarray(layer(X, training=True))
    dropped = outputs == 0
    assert 0.2 < dropped.mean() < 0.8
    same = dropped.all(1) | ~dropped.any(1)  # for the whole sequence or not at all
    assert same.all() == variational
    assert not np.any(np.asarray(layer(X)) == 0)


def test_no_dropout_before_the_first_layer():
    layer = stack(num_layers=1, dropout=0.5)
    np.testing.assert_array_equal(layer(X, training=True), layer(X))


def test_recurrent_dropout_differs_between_the_directions():
    layer = layers.StackedRNN(
        UNITS, bidirectional=True, recurrent_dropout=0.5, seed=1, return_sequences=True
    )
    layer.build(X.shape)
    weights = layer.get_weights()
    layer.set_weights([*weights[:3], *weights[:3]])
    backward = layers.StackedRNN.from_config(layer.get_config())
    backward.build(X.shape)
    backward.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(X, training=True), backward(X, training=True))
    forward, backward = np.split(np.asarray(layer(X[:, :1], training=True)), 2, -1)
    np.testing.assert_allclose(forward, backward)  # no state to drop yet
    palindrome = np.concatenate([X, X[:, ::-1]], axis=1)
    forward, backward = np.split(np.asarray(layer(palindrome, training=True)), 2, -1)
    assert not np.allclose(forward, backward[:, ::-1])


def test_options_reach_the_cells():
    one = keras.initializers.HeNormal()
    options = {"kernel_initializer": "zeros", "recurrent_initializer": one}
    layer = layers.StackedRNN(UNITS, 2, unit_forget_bias=False, **options)
    layer.build(X.shape)
    for part in layer.recurrent_layers:
        kernel, _, bias = part.get_weights()
        assert not kernel.any() and not bias.any()
    first, second = (part.cell.recurrent_kernel for part in layer.recurrent_layers)
    assert not np.array_equal(first, second)
    zoned = layers.StackedRNN(UNITS, cell="zoneout_lstm", zoneout_c=0.1)
    assert zoned.recurrent_layers[0].cell.zoneout_c == 0.1
    layers.StackedRNN(UNITS, cell="gru", unit_forget_bias=True)


def test_config_and_file(tmp_path):
    options = {"bidirectional": True, "dropout": 0.1, "seed": 3}
    options["kernel_initializer"] = keras.initializers.HeNormal(seed=1)
    layer = layers.StackedRNN(UNITS, 2, "zoneout_lstm", zoneout_h=0.2, **options)
    again = layers.StackedRNN.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert keras.saving.get_registered_name(layers.StackedRNN) == "kerasseq>StackedRNN"

    inputs = keras.Input((TIME, FEATURES))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(X), model(X))


def test_mixed_precision():
    layer = layers.StackedRNN(
        UNITS,
        2,
        "layer_norm_lstm",
        bidirectional=True,
        dropout=0.1,
        return_state=True,
        dtype="mixed_bfloat16",
    )
    outputs = layer(X, training=True)
    kinds = {keras.backend.standardize_dtype(x.dtype) for x in outputs}
    assert kinds == {"bfloat16"}
    assert {w.dtype for w in layer.weights} == {"float32"}


@pytest.mark.parametrize(
    "options, message",
    [
        ({"units": 0}, "must be positive integers. Received: units=0"),
        ({"num_layers": 0}, "Received: units=4, num_layers=0"),
        ({"cell": "rnn"}, "`cell` must be one of .*'irnn'.* Received: cell='rnn'"),
        (
            {"merge_mode": "max"},
            "`merge_mode` must be one of .* Received: merge_mode='max'",
        ),
        ({"dropout": 1.0}, r"must be in \[0, 1\). Received: dropout=1.0"),
        ({"recurrent_dropout": -0.1}, "recurrent_dropout=-0.1"),
        ({"go_backwards": True}, r"flip the sequence.* Received: \['go_backwards'\]"),
        ({"stateful": True}, r"through `initial_state`.* Received: \['stateful'\]"),
        ({"unit": 3}, "Unrecognized keyword .*'unit'"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        layers.StackedRNN(**{"units": UNITS} | options)


def test_bad_calls():
    with pytest.raises(ValueError, match="expected ndim=3"):
        layers.StackedRNN(UNITS)(X[0])
    layer = stack()
    with pytest.raises(ValueError, match="return_sequences=False"):
        layer.step(X[:, 0], layer.get_initial_state(len(X)))
    layer = stack(bidirectional=True)
    with pytest.raises(ValueError, match="takes 8 initial states.* Received: 2 init"):
        layer(X, initial_state=initial_states(layer)[:2])
