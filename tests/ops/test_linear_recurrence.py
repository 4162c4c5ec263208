"""The linear recurrence in all its forms, against a loop in float64."""

import numpy as np
import pytest
import tensorflow as tf

from kerasseq import ops
from kerasseq.ops import _linear_recurrence

METHODS = ("auto", "sequential", "doubling", "chunked")
every_method = pytest.mark.parametrize("method", METHODS)
both_ways = pytest.mark.parametrize("reverse", [False, True])


def reference(decay, inputs, initial_state, reverse):
    """In float64, step by step."""
    decay, inputs, state = (np.float64(x) for x in (decay, inputs, initial_state))
    states = np.zeros_like(inputs)
    steps = range(inputs.shape[1])
    for step in reversed(steps) if reverse else steps:
        state = states[:, step] = decay[:, step] * state + inputs[:, step]
    return states, state


def arrays(length, features=(3,), batch_size=2):
    generator = np.random.default_rng(length)
    shape = (batch_size, length, *features)
    decay = generator.uniform(-0.2, 1.0, shape)
    decay[:, ::7] = 0.0
    inputs = generator.normal(size=shape)
    initial_state = generator.normal(size=(batch_size, *features))
    return [x.astype("float32") for x in (decay, inputs, initial_state)]


@every_method
@both_ways
@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 130])
def test_any_length(method, reverse, length):
    given = arrays(length)
    expected = reference(*given, reverse)
    found = ops.linear_recurrence(*given, method=method, reverse=reverse)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)


@every_method
def test_4096_steps_that_forget_little(method):
    decay, inputs, initial_state = arrays(4096)
    decay = (1 - 0.01 * np.abs(decay)).astype("float32")
    states, final = ops.linear_recurrence(decay, inputs, initial_state, method=method)
    expected, last = reference(decay, inputs, initial_state, False)
    np.testing.assert_allclose(states, expected, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(final, last, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("features", [(), (2, 3)])
def test_any_rank_and_no_initial_state(features):
    decay, inputs, initial_state = arrays(70, features)
    states, final = ops.linear_recurrence(decay, inputs)
    expected, last = reference(decay, inputs, 0 * initial_state, False)
    np.testing.assert_allclose(states, expected, atol=1e-5)
    np.testing.assert_allclose(final, last, atol=1e-5)


def plain(decay, inputs, state, reverse):
    """The same without a gradient of its own."""
    found = []
    steps = range(inputs.shape[1])
    for step in reversed(steps) if reverse else steps:
        state = decay[:, step] * state + inputs[:, step]
        found.append(state)
    return tf.stack(found[::-1] if reverse else found, 1), state


def gradients(compute, given, order):
    """Gradients of the first or the second order."""
    given = [tf.constant(x) for x in given]
    generator = np.random.default_rng(1)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(given)
        with tf.GradientTape() as inner:
            inner.watch(given)
            states, final = compute(*given)
            weights = generator.normal(size=states.shape).astype("float32")
            loss = tf.reduce_sum(weights * states**2) + tf.reduce_sum(final**3)
        first = inner.gradient(loss, given)
        second = sum(tf.reduce_sum(x**2) for x in first)
    return first if order == 1 else outer.gradient(second, given)


@every_method
@both_ways
@pytest.mark.parametrize("order", [1, 2])
def test_gradients(method, reverse, order):
    given = arrays(9)
    expected = gradients(lambda *x: plain(*x, reverse), given, order)

    @tf.function
    def compute(*x):
        return ops.linear_recurrence(*x, method=method, reverse=reverse)

    for found in (
        gradients(compute, given, order),
        gradients(compute.python_function, given, order),
    ):
        for x, y in zip(found, expected, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4)


@every_method
@pytest.mark.parametrize("length", [65, 130])
def test_gradients_under_xla(method, length):
    given = arrays(length)

    @tf.function(jit_compile=True)
    def compiled(*given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            states, _ = ops.linear_recurrence(*given, method=method)
            loss = tf.reduce_sum(states**2)
        return tape.gradient(loss, given)

    with tf.GradientTape() as tape:
        given = [tf.constant(x) for x in given]
        tape.watch(given)
        loss = tf.reduce_sum(plain(*given, False)[0] ** 2)
    expected = tape.gradient(loss, given)
    for x, y in zip(compiled(*given), expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4)


@every_method
def test_half_precision_is_summed_in_float32(method):
    decay = np.full((1, 2000, 1), 0.999, "float16")
    inputs = np.full((1, 2000, 1), 0.01, "float16")
    states, final = ops.linear_recurrence(decay, inputs, method=method)
    assert states.dtype == final.dtype == "float16"
    expected, _ = reference(decay, inputs, np.zeros((1, 1)), False)
    np.testing.assert_allclose(states, expected, rtol=1e-3)


def loops(method, length):
    """Loops over single steps in what XLA gets for a GPU, forward and backward."""
    spec = tf.TensorSpec((2, length, 8))

    @tf.function(jit_compile=True)
    def step(decay, inputs):
        with tf.GradientTape() as tape:
            tape.watch(decay)
            states, _ = ops.linear_recurrence(decay, inputs, method=method)
        return tape.gradient(states, decay)

    lower = step.experimental_get_compiler_ir(spec, spec)
    return lower(stage="hlo", platform_name="GPU").count(" while(")


def test_forms_without_a_loop_over_steps():
    assert loops("doubling", 256) == 0
    assert loops("chunked", 256) == 2  # over four chunks, there and back
    assert loops("sequential", 256) == 2


@pytest.mark.parametrize(
    "gpu, length, method",
    [
        (False, 9, "sequential"),
        (False, 4096, "sequential"),
        (True, 64, "doubling"),
        (True, 65, "chunked"),
    ],
)
def test_the_form_is_chosen_by_device_and_length(gpu, length, method, monkeypatch):
    monkeypatch.setattr(_linear_recurrence, "has_gpu", lambda: gpu)
    assert _linear_recurrence._chosen(length) == method


@pytest.mark.parametrize("kind", ["while", "unrolled"])
def test_as_it_is_exported(kind):
    given = arrays(130)
    expected = reference(*given, False)
    with ops.loop_strategy(kind):
        found = tf.function(ops.linear_recurrence)(*given)
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.ones((2, 3)), np.ones((2, 4))), r"one shape .*\(2, 3\) and \(2, 4\)"),
        ((np.ones(3), np.ones(3)), "one shape"),
        ((np.ones((2, 3, 4)),) * 2 + (np.ones((2, 3)),), "`initial_state`"),
        ((np.ones((2, 3)),) * 2 + (None, "scan"), "method='scan'"),
        ((np.ones((2, 0)),) * 2, "at least 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ops.linear_recurrence(*arguments)
