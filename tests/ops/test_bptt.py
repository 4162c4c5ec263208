"""The gradient written by hand against the one TensorFlow makes of the plain loop."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseq import ops

BATCH, TIME, FEATURES, UNITS = 2, 4, 3, 2
MASK = np.array([[1, 1, 1, 0], [0, 1, 1, 1]], bool)
KINDS = {
    "lstm": (ops.lstm, 4, {}),
    "gru": (ops.gru, 3, {}),
    "gru_reset_before": (ops.gru, 3, {"reset_after": False}),
    "tanh": (ops.simple_rnn, 1, {}),
    "relu": (ops.simple_rnn, 1, {"activation": keras.ops.relu}),
}


def arguments(kind, dtype="float64"):
    _, gates, _ = KINDS[kind]
    generator = np.random.default_rng(0)
    shapes = {
        "x": (BATCH, TIME, FEATURES),
        "h": (BATCH, UNITS),
        "kernel": (FEATURES, gates * UNITS),
        "recurrent_kernel": (UNITS, gates * UNITS),
        "bias": (2, gates * UNITS) if kind == "gru" else (gates * UNITS,),
    }
    if kind == "lstm":
        shapes["c"] = (BATCH, UNITS)
    return {k: tf.constant(generator.normal(size=s), dtype) for k, s in shapes.items()}


def run(kind, given, **loop):
    function, _, options = KINDS[kind]
    states = [given[name] for name in ("h", "c") if name in given]
    outputs, states = function(
        given["x"],
        states,
        given["kernel"],
        given["recurrent_kernel"],
        given["bias"],
        **options,
        **loop,
    )
    return tf.concat([tf.reshape(x, [-1]) for x in (outputs, *states)], 0)


def loss(kind, given, **loop):
    outputs = run(kind, given, **loop)
    return tf.reduce_sum(
        tf.cos(tf.range(tf.size(outputs), dtype=outputs.dtype)) * outputs
    )


def first_order(kind, given, **loop):
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = loss(kind, given, **loop)
    return tape.gradient(value, given)


def second_order(kind, given, **loop):
    """The gradient of the squared norm of the gradient."""
    with tf.GradientTape() as tape:
        tape.watch(given)
        norms = [tf.reduce_sum(g**2) for g in first_order(kind, given, **loop).values()]
        value = tf.add_n(norms)
    return tape.gradient(value, given)


def assert_equal(found, expected):
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backwards", [False, True])
def test_with_a_dropout_mask_on_the_state(kind, backwards):
    given = arguments(kind)
    dropped = tf.constant([[0.0, 2.0], [2.0, 0.5]], "float64")
    loop = {"recurrent_mask": dropped, "mask": MASK, "go_backwards": backwards}
    expected = first_order(kind, given, unroll=True, **loop)
    assert_equal(first_order(kind, given, **loop), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_second_order(kind, jit_compile):
    given = arguments(kind)
    expected = second_order(kind, given, unroll=True)
    function = tf.function(
        lambda given: second_order(kind, given), jit_compile=jit_compile
    )
    found = function(given) if jit_compile else second_order(kind, given)
    assert_equal(found, expected)


def test_the_gradient_is_one_product_a_weight():
    """No matrix of the size of the recurrent kernel is in the backward loop."""
    given = arguments("lstm", "float32")
    lower = tf.function(lambda given: first_order("lstm", given), jit_compile=True)
    text = lower.experimental_get_compiler_ir(given)(stage="hlo", platform_name="GPU")
    bodies = [part for part in text.split("\n\n") if "body" in part.split("(")[0]]
    products = [body.count(" dot(") for body in bodies]
    assert [count for count in products if count] == [1, 1]


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_masked_outputs_with_an_initial_state(zeros, backwards, sequences):
    given = arguments("gru")
    loop = {
        "mask": MASK,
        "zero_output_for_mask": zeros,
        "go_backwards": backwards,
        "return_sequences": sequences,
    }
    expected = run("gru", given, unroll=True, **loop)
    np.testing.assert_allclose(run("gru", given, **loop), expected, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_state_is_summed_in_float32(dtype):
    """A cell state that keeps and adds: in half precision, 4 + 0.001 is 4."""
    steps, open_gate = 64, 20.0
    bias = tf.constant([open_gate, open_gate, 0.001, open_gate], dtype)
    outputs, (_, c) = ops.lstm(
        tf.zeros([1, steps, 1], dtype),
        [tf.zeros([1, 1], dtype), tf.fill([1, 1], tf.constant(4.0, dtype))],
        tf.zeros([1, 4], dtype),
        tf.zeros([1, 4], dtype),
        bias,
    )
    assert outputs.dtype == c.dtype == dtype
    np.testing.assert_allclose(float(c[0, 0]), 4 + steps * 0.001, rtol=4e-3)
    assert float(c[0, 0]) > 4.03


def test_a_length_that_is_not_known_before():
    given = arguments("lstm")
    function = tf.function(
        lambda x: first_order("lstm", given | {"x": x})["recurrent_kernel"],
        input_signature=[tf.TensorSpec([BATCH, None, FEATURES], "float64")],
    )
    expected = first_order("lstm", given)["recurrent_kernel"]
    np.testing.assert_allclose(function(given["x"]), expected, atol=1e-9)
