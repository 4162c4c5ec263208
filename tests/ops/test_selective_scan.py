"""The selective scan in all its forms, against a loop in float64."""

import re

import numpy as np
import pytest
import tensorflow as tf

from kerasseq import ops
from kerasseq.ops import _selective_scan

WIDTH, STATES = 3, 4
every_form = pytest.mark.parametrize("method", ["sequential", "chunked"])
both_rules = pytest.mark.parametrize("discretization", ["euler", "zoh"])


def arrays(length, batch_size=2, seed=0):
    generator = np.random.default_rng(seed)
    wide, narrow = (batch_size, length, WIDTH), (batch_size, length, STATES)
    found = [
        generator.normal(size=wide),
        generator.uniform(0.01, 0.5, wide),
        -generator.uniform(0.2, 4, (WIDTH, STATES)),
        generator.normal(size=narrow),
        generator.normal(size=narrow),
        generator.normal(size=(batch_size, STATES, WIDTH)),
    ]
    return [x.astype("float32") for x in found]


def reference(x, delta, a, b, c, state, discretization):
    """Equations 2a and 2b, step by step, in float64."""
    x, delta, a, b, c, state = (np.float64(v) for v in (x, delta, a, b, c, state))
    outputs, state = [], np.swapaxes(state, 1, 2)
    for t in range(x.shape[1]):
        power = delta[:, t, :, None] * a  # (batch_size, WIDTH, STATES)
        factor = (
            np.expm1(power) / a if discretization == "zoh" else delta[:, t, :, None]
        )
        state = np.exp(power) * state + factor * b[:, t, None] * x[:, t, :, None]
        outputs.append((state * c[:, t, None]).sum(-1))
    return np.stack(outputs, 1), np.swapaxes(state, 1, 2)


@every_form
@both_rules
@pytest.mark.parametrize("length", [1, 2, 64, 65, 200])
def test_any_length(method, discretization, length):
    given = arrays(length)
    options = {"method": method, "discretization": discretization}
    found = ops.selective_scan(*given, **options)
    for x, y in zip(found, reference(*given, discretization), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)


def test_no_initial_state_and_half_precision():
    *given, state = arrays(70)
    expected, _ = reference(*given, 0 * state, "euler")
    y, final = ops.selective_scan(*(x.astype("float16") for x in given))
    assert y.dtype == "float16" and final.dtype == "float32"
    np.testing.assert_allclose(y, expected, atol=0.02)


def test_from_a_state_it_goes_on():
    x, delta, a, b, c, state = arrays(100)
    whole, final = ops.selective_scan(x, delta, a, b, c, state)
    parts = []
    for first, last in ((0, 70), (70, 71), (71, 100)):
        rows = slice(first, last)
        sequences = (x[:, rows], delta[:, rows], a, b[:, rows], c[:, rows])
        y, state = ops.selective_scan(*sequences, state)
        parts.append(y)
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-5)
    np.testing.assert_allclose(state, final, atol=1e-5)


def plain(x, delta, a, b, c, state, discretization):
    """The same without a gradient of its own."""
    outputs, state = [], tf.linalg.matrix_transpose(state)
    for t in range(x.shape[1]):
        power = delta[:, t, :, None] * a
        factor = delta[:, t, :, None]
        if discretization == "zoh":
            factor = tf.math.expm1(power) / a
        state = tf.exp(power) * state + factor * b[:, t, None] * x[:, t, :, None]
        outputs.append(tf.reduce_sum(state * c[:, t, None], -1))
    return tf.stack(outputs, 1), tf.linalg.matrix_transpose(state)


def gradients(compute, given, order=1):
    given = [tf.convert_to_tensor(x) for x in given]
    with tf.GradientTape() as outer:
        outer.watch(given)
        with tf.GradientTape() as inner:
            inner.watch(given)
            y, final = compute(*given)
            loss = tf.reduce_sum(y**2) + tf.reduce_sum(final**3)
        first = inner.gradient(loss, given)
        second = sum(tf.reduce_sum(tf.sin(x)) for x in first)
    return first if order == 1 else outer.gradient(second, given)


@every_form
@both_rules
@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_gradients_under_xla(method, discretization, order, monkeypatch):
    monkeypatch.setattr(
        _selective_scan, "CHUNKS", dict.fromkeys(_selective_scan.CHUNKS, 4)
    )
    given = arrays(6)  # a chunk and a half
    rule = {"discretization": discretization}
    expected = gradients(lambda *x: plain(*x, **rule), given, order)

    @tf.function(jit_compile=True)
    def compiled(*given):
        def compute(*x):
            return ops.selective_scan(*x, **rule, method=method)

        return gradients(compute, given, order)

    for x, y in zip(compiled(*given), expected, strict=True):
        scale = max(1, np.abs(y).max())
        np.testing.assert_allclose(x, y, atol=1e-4 * scale)


@every_form
def test_the_states_of_all_steps_are_never_in_memory(method):
    """But those of a chunk, forward and backward."""
    length, width, states = 1024, 64, 16

    @tf.function(jit_compile=True)
    def step(x, delta, a, b):
        with tf.GradientTape() as tape:
            tape.watch([x, delta, a, b])
            y, _ = ops.selective_scan(x, delta, a, b, b, method=method)
        return tape.gradient(y, [x, delta, a, b])

    wide, narrow = tf.zeros((2, length, width)), tf.zeros((2, length, states))
    lower = step.experimental_get_compiler_ir(
        wide, wide, tf.zeros((width, states)), narrow
    )
    text = lower(stage="optimized_hlo")
    sizes = [
        np.prod([int(x) for x in shape.split(",")])
        for shape in set(re.findall(r"f32\[([\d,]+)\]", text))
    ]
    assert max(sizes) < 2 * length * width * states / 4


@pytest.mark.parametrize("kind", ["while", "unrolled"])
def test_as_it_is_exported(kind):
    given = arrays(20)
    with ops.loop_strategy(kind):
        found = tf.function(ops.selective_scan)(*given)
    for x, y in zip(found, reference(*given, "euler"), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)


def test_bad_arguments():
    x, delta, a, b, c, state = arrays(5)
    cases = {
        "must be .batch_size, time, width": (x, delta[:, :4], a, b, c),
        "transition .3, 3.": (x, delta, a[:, :3], b, c),
        "`initial_state`": (x, delta, a, b, c, state[:, :2]),
        "at least one step": (x[:, :0], delta[:, :0], a, b[:, :0], c[:, :0]),
    }
    for message, arguments in cases.items():
        with pytest.raises(ValueError, match=message):
            ops.selective_scan(*arguments)
    for options in ({"discretization": "bilinear"}, {"method": "doubling"}):
        ((name, value),) = options.items()
        with pytest.raises(ValueError, match=f"{name}='{value}'"):
            ops.selective_scan(x, delta, a, b, c, **options)
