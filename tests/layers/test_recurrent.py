"""`SimpleRNN`, `LSTM` and `GRU` against their stock twins, all options crossed."""

import itertools

import keras
import numpy as np
import pytest

from kerasseq import layers

CLASSES = ["SimpleRNN", "LSTM", "GRU"]
TIME, FEATURES, UNITS = 5, 3, 4
X = np.random.default_rng(0).normal(size=(3, TIME, FEATURES)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 1, 0, 1, 1]], bool)
OPTIONS = list(itertools.product([False, True], repeat=5))


def twins(name, **options):
    ours = getattr(layers, name)(UNITS, **options)
    stock = getattr(keras.layers, name)(UNITS, **options)
    ours.build(X.shape)
    stock.build(X.shape)
    weights = [np.random.default_rng(1).normal(size=w.shape) for w in ours.weights]
    ours.set_weights(weights)
    stock.set_weights(weights)
    return ours, stock


def with_weights_of(layer, **options):
    other = type(layer)(UNITS, **options)
    other.build(X.shape)
    other.set_weights(layer.get_weights())
    return other


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(
    "sequences, state, backwards, masked, initial",
    OPTIONS,
    ids=["".join("01"[o] for o in options) for options in OPTIONS],
)
def test_equals_stock(name, sequences, state, backwards, masked, initial):
    ours, stock = twins(
        name, return_sequences=sequences, return_state=state, go_backwards=backwards
    )
    count = 2 if name == "LSTM" else 1
    states = [np.full((3, UNITS), 0.1 * (k + 1), "float32") for k in range(count)]
    call = {
        "mask": MASK if masked else None,
        "initial_state": states if initial else None,
    }
    found, expected = ours(X, **call), stock(X, **call)
    assert keras.tree.flatten(found)[0].shape == keras.tree.flatten(expected)[0].shape
    for a, b in zip(
        keras.tree.flatten(found), keras.tree.flatten(expected), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave", "mul"])
def test_bidirectional_equals_stock(name, merge_mode):
    ours, stock = (
        keras.layers.Bidirectional(
            getattr(package, name)(UNITS, return_sequences=True, return_state=True),
            merge_mode=merge_mode,
        )
        for package in (layers, keras.layers)
    )
    expected = stock(X, mask=MASK)
    ours.build(X.shape)
    ours.set_weights(stock.get_weights())
    for a, b in zip(ours(X, mask=MASK), expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("name", CLASSES)
def test_options_that_change_the_cell(name):
    options = {"activation": "relu", "use_bias": False}
    if name != "SimpleRNN":
        options["recurrent_activation"] = "hard_sigmoid"
    ours, stock = twins(name, **options)
    np.testing.assert_allclose(ours(X), stock(X), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("name", CLASSES)
def test_unrolled_equals_looped(name):
    looped, _ = twins(name, return_sequences=True)
    unrolled = with_weights_of(looped, return_sequences=True, unroll=True)
    np.testing.assert_allclose(unrolled(X, mask=MASK), looped(X, mask=MASK), atol=1e-6)


@pytest.mark.parametrize("name", CLASSES)
def test_stateful_carries_the_state(name):
    whole, _ = twins(name, return_sequences=True)
    chunked = with_weights_of(whole, return_sequences=True, stateful=True)
    parts = [np.asarray(chunked(X[:, :2])), np.asarray(chunked(X[:, 2:]))]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole(X), atol=1e-6)


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("name", CLASSES)
def test_dropout_acts_in_training_only(name, kind):
    layer = getattr(layers, name)(UNITS, **{kind: 0.5}, seed=1)
    inference = np.asarray(layer(X))
    np.testing.assert_array_equal(layer(X, training=False), inference)
    first, second = (np.asarray(layer(X, training=True)) for _ in range(2))
    assert not np.allclose(first, inference)
    assert not np.allclose(first, second)  # a new mask for each call


def test_one_dropout_mask_a_sequence():
    """With input dropped for whole sequences, equal steps stay equal."""
    layer = layers.SimpleRNN(
        UNITS, dropout=0.5, return_sequences=True, recurrent_initializer="zeros"
    )
    same = np.repeat(X[:, :1], TIME, axis=1)
    outputs = np.asarray(layer(same, training=True))
    np.testing.assert_allclose(outputs, np.repeat(outputs[:, :1], TIME, axis=1))


@pytest.mark.parametrize("name", CLASSES)
def test_config_round_trip(name):
    layer = getattr(layers, name)(UNITS, go_backwards=True, dropout=0.1)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert keras.saving.get_registered_name(type(layer)) == f"kerasseq>{name}"


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_no_cudnn(name):
    for use_cudnn in ("auto", False):
        layer = getattr(layers, name)(UNITS, "relu", use_cudnn=use_cudnn)
        assert layer.use_cudnn is False and layer.supports_jit
        assert layer.activation is keras.activations.relu
    with pytest.raises(ValueError, match="no cuDNN path"):
        getattr(layers, name)(UNITS, use_cudnn=True)


@pytest.mark.parametrize("name", CLASSES)
def test_bad_arguments(name):
    with pytest.raises(ValueError, match="positive integer"):
        getattr(layers, name)(0)
    with pytest.raises(ValueError, match="expected ndim=3"):
        getattr(layers, name)(UNITS)(X[0])


@pytest.mark.parametrize("name", CLASSES)
def test_bad_initial_states(name):
    layer = getattr(layers, name)(UNITS)
    count = 2 if name == "LSTM" else 1
    good = [np.zeros((3, UNITS), "float32") for _ in range(count)]
    for bad in (
        good[:-1] or [*good, *good],
        [np.zeros((3, UNITS + 1), "float32")] * count,
        [np.zeros((2, UNITS), "float32")] * count,
        [np.zeros((UNITS,), "float32")] * count,
    ):
        with pytest.raises(ValueError, match=f"must be {count} tensor.*Received"):
            layer(X, initial_state=bad)
    layer(X, initial_state=good)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", CLASSES)
def test_mixed_precision(name, policy):
    exact, _ = twins(name, return_sequences=True)
    layer = with_weights_of(exact, return_sequences=True, dtype=policy)
    tolerance = 2e-2 if policy == "mixed_float16" else 2e-1
    outputs = keras.ops.cast(layer(X, mask=MASK), "float32")
    np.testing.assert_allclose(outputs, exact(X, mask=MASK), atol=tolerance)

    model = keras.Sequential([keras.Input(X.shape[1:]), layer])
    model.compile("sgd", "mse", jit_compile=True)
    before = [w.numpy() for w in layer.weights]
    assert np.isfinite(model.train_on_batch(X, np.ones((3, TIME, UNITS))))
    assert all(w.dtype == "float32" for w in layer.weights)
    for weight, old in zip(layer.weights, before, strict=True):
        assert np.isfinite(weight.numpy()).all() and (weight.numpy() != old).any()
