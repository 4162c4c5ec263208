import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseq import layers, ops
from kerasseq.ops import _fused_lstm

BATCH, TIME, FEATURES, UNITS = 4, 7, 3, 5
OPTIONS = [
    {},
    {"return_sequences": True},
    {"return_sequences": True, "go_backwards": True},
    {"go_backwards": True},
    {"return_sequences": True, "zero_output_for_mask": True},
    {"zero_output_for_mask": True},
    {"return_sequences": True, "go_backwards": True, "zero_output_for_mask": True},
    {"use_bias": False},
]


def inputs():
    """Sequences, and a mask with a full, two padded and an empty row."""
    x = np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES))
    mask = np.arange(TIME) < np.array([[TIME], [3], [1], [0]])
    return x.astype("float32"), mask


def twins(make):
    """The same small model of stock layers and of ours, with the same weights."""
    built = []
    for library in (keras.layers, layers):
        x = keras.Input((TIME, FEATURES), batch_size=BATCH)
        mask = keras.Input((TIME,), batch_size=BATCH, dtype="bool")
        built.append(keras.Model([x, mask], make(library.LSTM, x, mask)))
    stock, ours = built
    generator = np.random.default_rng(1)
    stock.set_weights([generator.normal(0, 0.4, w.shape) for w in stock.weights])
    ours.set_weights(stock.get_weights())
    return stock, ours


def run_fused(model, *arguments):
    """Runs a model traced with fused LSTMs; returns outputs and their number."""
    with ops.loop_strategy("fused") as traced:
        concrete = tf.function(model, autograph=False).get_concrete_function(
            [tf.TensorSpec(x.shape, x.dtype) for x in arguments]
        )
    names = concrete.graph.as_graph_def().library.function
    num_fused = sum("api_implements" in function.attr for function in names)
    assert num_fused == traced.num_fusible
    return concrete([tf.constant(x) for x in arguments]), num_fused


@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(o) or "last")
def test_equals_stock(options, masked):
    def make(lstm, x, mask):
        return lstm(UNITS, **options)(x, mask=mask if masked else None)

    stock, ours = twins(make)
    received, num_fused = run_fused(ours, *inputs())
    assert num_fused == 1
    np.testing.assert_allclose(received, stock(inputs()), atol=1e-5)


def test_stacked_bidirectional_and_initial_state():
    def make(lstm, x, mask):
        y = keras.layers.Bidirectional(lstm(UNITS, return_sequences=True))(x, mask=mask)
        state = keras.layers.Dense(UNITS)(x[:, 0])
        y = lstm(UNITS, return_sequences=True)(y, mask=mask, initial_state=[state] * 2)
        return lstm(UNITS)(y, mask=mask)

    stock, ours = twins(make)
    received, num_fused = run_fused(ours, *inputs())
    assert num_fused == 4
    np.testing.assert_allclose(received, stock(inputs()), atol=1e-5)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_states_of_the_op_itself(go_backwards):
    x, mask = inputs()
    generator = np.random.default_rng(2)
    sizes = [(BATCH, UNITS)] * 2 + [(n, 4 * UNITS) for n in (FEATURES, UNITS)]
    h, c, *kernels = [generator.normal(size=s).astype("float32") for s in sizes]
    options = {"mask": mask, "go_backwards": go_backwards}
    wanted = ops.lstm(x, [h, c], *kernels, **options)
    with ops.loop_strategy("fused"):
        received = ops.lstm(x, [h, c], *kernels, **options)
    for one, other in zip(
        keras.tree.flatten(received), keras.tree.flatten(wanted), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_layer_that_returns_its_states_stays_a_loop():
    def make(lstm, x, mask):
        return keras.ops.concatenate(lstm(UNITS, return_state=True)(x, mask=mask), -1)

    stock, ours = twins(make)
    received, num_fused = run_fused(ours, *inputs())
    assert num_fused == 0
    np.testing.assert_allclose(received, stock(inputs()), atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"activation": "relu"}, {"recurrent_activation": "hard_sigmoid"}]
)
def test_other_activations_stay_a_loop(options):
    stock, ours = twins(lambda lstm, x, mask: lstm(UNITS, **options)(x, mask=mask))
    received, num_fused = run_fused(ours, *inputs())
    assert num_fused == 0
    np.testing.assert_allclose(received, stock(inputs()), atol=1e-5)


@pytest.mark.parametrize("kind", ["fused", "loopless", "while", "unrolled"])
def test_wanted(kind):
    gates = (keras.ops.tanh, keras.ops.sigmoid, None)
    x, zeros, ones = tf.zeros((2, 3, 4)), [tf.zeros((2, 5))] * 2, [tf.ones((2, 5))] * 2
    with ops.loop_strategy(kind) as so_far:
        fuses = kind in ("fused", "loopless")
        assert _fused_lstm.wanted(x, zeros, *gates) == fuses
        assert not _fused_lstm.wanted(tf.cast(x, "float16"), zeros, *gates)
        assert not _fused_lstm.wanted(keras.Input((3, 4)), zeros, *gates)
        assert so_far.num_fusible == 1
        # Calibration for int8 fails with them.
        assert _fused_lstm.wanted(x, ones, *gates) == (kind == "fused")


def test_left_padding_is_refused():
    x, mask = inputs()
    _, ours = twins(lambda lstm, x, mask: lstm(UNITS)(x, mask=mask))
    with ops.loop_strategy("fused"):
        with pytest.raises(
            ValueError, match=r"padded on the right.*0, 0, 0.* in row 1"
        ):
            ours([tf.constant(x), tf.constant(mask[:, ::-1])])
