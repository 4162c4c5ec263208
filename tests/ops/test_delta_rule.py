"""The generalized delta rule in all its forms, against a loop in float64."""

import re

import numpy as np
import pytest
import tensorflow as tf

from kerasseq import ops
from kerasseq.ops import _delta_rule, _delta_rule_chunk

HEADS, KEY, VALUE = 2, 4, 3
every_form = pytest.mark.parametrize("method", ["sequential", "chunked"])


def arrays(length, batch_size=2, seed=0, slowest=0.0):
    """As RWKV-7 makes them: decays above 0.545, removal keys of length 1."""
    generator = np.random.default_rng(seed)

    def normal(size=KEY):
        return generator.normal(size=(batch_size, length, HEADS, size))

    removal = normal()
    removal /= np.linalg.norm(removal, axis=-1, keepdims=True)
    found = [
        normal(),
        -generator.uniform(slowest, 0.6065, removal.shape),
        normal(),
        normal(VALUE),
        removal,
        removal * generator.uniform(0, 1, removal.shape),
        generator.normal(size=(batch_size, HEADS, VALUE, KEY)),
    ]
    return [x.astype("float32") for x in found]


def reference(r, g, k, v, p, q, state):
    """The definition, step by step, in float64."""
    r, g, k, v, p, q, state = (np.float64(x) for x in (r, g, k, v, p, q, state))
    outputs = []
    for t in range(r.shape[1]):
        w = np.exp(g[:, t])[..., None] * np.eye(KEY)
        transition = w - p[:, t, :, :, None] * q[:, t, :, None]
        state = state @ transition + v[:, t, :, :, None] * k[:, t, :, None]
        outputs.append((state @ r[:, t, :, :, None])[..., 0])
    return np.stack(outputs, 1), state


def check(found, expected, tolerance=1e-5):
    for x, y in zip(found, expected, strict=True):
        scale = max(1, np.abs(y).max())
        np.testing.assert_allclose(x, y, atol=tolerance * scale)


@every_form
@pytest.mark.parametrize("length", [1, 2, 5, 16, 17, 100])
def test_any_length(method, length):
    given = arrays(length)
    check(ops.delta_rule(*given, method=method), reference(*given))


@every_form
@pytest.mark.parametrize("name", ["strong decay", "no decay", "one key"])
def test_extremes(method, name):
    given = arrays(70)
    if name == "one key":  # powers of what acts on what, up to 6435, cancel
        given[4] = np.broadcast_to(given[4][:, :1], given[4].shape)
        given[5] = 0.999 * given[4]
        given[1] = 0 * given[1]
    else:
        given[1] = 0 * given[1] - (5.0 if name == "strong decay" else 0.0)
    check(ops.delta_rule(*given, method=method), reference(*given))


def test_both_forms_are_equal_over_a_long_sequence():
    given = arrays(1000)
    one = ops.delta_rule(*given, method="sequential")
    check(ops.delta_rule(*given, method="chunked"), one)


@pytest.mark.parametrize("length", [2, 5, 16])
def test_the_inverse_within_a_chunk(length):
    below = np.tril(np.random.default_rng(0).normal(size=(3, length, length)), -1)
    expected = np.linalg.inv(np.eye(length) - below)
    found = _delta_rule_chunk._inverse(tf.constant(below, "float32"))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_no_initial_state_and_half_precision():
    *given, state = arrays(70)
    expected, _ = reference(*given, 0 * state)
    y, final = ops.delta_rule(*(x.astype("float16") for x in given))
    assert y.dtype == "float16" and final.dtype == "float32"
    np.testing.assert_allclose(y, expected, atol=0.05)


@every_form
def test_from_a_state_it_goes_on(method):
    *given, state = arrays(100)
    whole, final = ops.delta_rule(*given, state)
    parts = []
    for first, last in ((0, 70), (70, 71), (71, 100)):
        rows = [x[:, first:last] for x in given]
        y, state = ops.delta_rule(*rows, state, method)
        parts.append(y)
    check((np.concatenate(parts, 1), state), (whole, final))


def plain(r, g, k, v, p, q, state):
    """The same without a gradient of its own."""
    outputs = []
    for t in range(r.shape[1]):
        found = tf.reduce_sum(state * p[:, t, :, None], -1)
        state = state * tf.exp(g[:, t, :, None])
        state -= found[..., None] * q[:, t, :, None]
        state += v[:, t, ..., None] * k[:, t, :, None]
        outputs.append(tf.reduce_sum(state * r[:, t, :, None], -1))
    return tf.stack(outputs, 1), state


def gradients(compute, given, order=1):
    given = [tf.convert_to_tensor(x) for x in given]
    with tf.GradientTape() as outer:
        outer.watch(given)
        with tf.GradientTape() as inner:
            inner.watch(given)
            y, final = compute(*given)
            loss = tf.reduce_sum(tf.sin(y)) + tf.reduce_sum(tf.sin(final + 1))
        first = inner.gradient(loss, given)
        second = sum(tf.reduce_sum(tf.sin(x)) for x in first)
    return first if order == 1 else outer.gradient(second, given)


@every_form
@pytest.mark.parametrize(
    "length, chunk", [(6, 4), pytest.param(40, 16, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_gradients_under_xla(method, length, chunk, order, monkeypatch):
    monkeypatch.setattr(_delta_rule, "CHUNK", chunk)
    given = arrays(length)
    expected = gradients(plain, [np.float64(x) for x in given], order)

    @tf.function(jit_compile=True)
    def compiled(*given):
        def compute(*x):
            return ops.delta_rule(*x, method=method)

        return gradients(compute, given, order)

    check(compiled(*given), expected)


def compiler_ir(method, length, stage, **options):
    @tf.function(jit_compile=True)
    def step(*given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            y, _ = ops.delta_rule(*given, method=method)
        return tape.gradient(y, given)

    row = tf.zeros((2, length, 2, 32))
    lower = step.experimental_get_compiler_ir(*[row] * 6)
    return lower(stage=stage, **options)


@every_form
def test_the_states_of_all_steps_are_never_in_memory(method):
    """But those of a chunk, and one for each chunk, forward and backward."""
    text = compiler_ir(method, 1024, "optimized_hlo")
    sizes = [
        np.prod([int(x) for x in shape.split(",")])
        for shape in set(re.findall(r"f32\[([\d,]+)\]", text))
    ]
    assert max(sizes) <= 2 * 1024 * 2 * 32 * 32 / 16


def test_the_chunked_form_has_no_loop_over_steps_on_a_gpu():
    loop = re.compile(r"[)\]}] while\(")
    one_chunk = compiler_ir("chunked", 16, "hlo", platform_name="GPU")
    assert "HloModule" in one_chunk and not loop.search(one_chunk)
    many = compiler_ir("chunked", 128, "hlo", platform_name="GPU")
    assert len(loop.findall(many)) == 2  # over chunks: one forward, one backward


@pytest.mark.parametrize("kind", ["while", "unrolled"])
def test_as_it_is_exported(kind):
    given = arrays(20)
    with ops.loop_strategy(kind):
        check(tf.function(ops.delta_rule)(*given), reference(*given))


def test_bad_arguments():
    r, g, k, v, p, q, state = arrays(5)
    cases = {
        "must be .batch_size, time, heads, key_size": (r, g, k, v, p[:, :4], q),
        "`values` the fourth": (r, g, k, v[:, :, :1], p, q),
        "`initial_state`": (r, g, k, v, p, q, state[:, :1]),
        "at least one step": [x[:, :0] for x in (r, g, k, v, p, q)],
        "method='doubling'": (r, g, k, v, p, q, None, "doubling"),
    }
    for message, arguments in cases.items():
        with pytest.raises(ValueError, match=message):
            ops.delta_rule(*arguments)
