"""WKV in all its forms, against sums of exponentials in float64."""

import re

import numpy as np
import pytest
import tensorflow as tf

from kerasseq import ops
from kerasseq.ops import _wkv

WIDTH = 3
every_form = pytest.mark.parametrize("method", ["sequential", "chunked"])


def arrays(length, batch_size=2, seed=0):
    generator = np.random.default_rng(seed)
    wide = (batch_size, length, WIDTH)
    found = [
        generator.normal(0, 2, wide),
        generator.normal(size=wide),
        np.exp(generator.uniform(-5, 2, WIDTH)),
        generator.normal(size=WIDTH),
    ]
    return [x.astype("float32") for x in found]


def states(batch_size=2, seed=1):
    generator = np.random.default_rng(seed)
    numerator, maximum = generator.normal(size=(2, batch_size, WIDTH))
    denominator = generator.uniform(1, 3, (batch_size, WIDTH))
    return [x.astype("float32") for x in (numerator, denominator, maximum)]


def reference(k, v, w, u, state=None):
    """The definition: outputs, and the two sums after the last step."""
    k, v, w, u = (np.float64(x) for x in (k, v, w, u))
    a = b = np.zeros_like(k[:, 0])
    if state is not None:
        numerator, denominator, maximum = (np.float64(x) for x in state)
        a, b = numerator * np.exp(maximum), denominator * np.exp(maximum)
    outputs = []
    for t in range(k.shape[1]):
        own = np.exp(u + k[:, t])
        outputs.append((a + own * v[:, t]) / (b + own))
        a = np.exp(-w) * a + np.exp(k[:, t]) * v[:, t]
        b = np.exp(-w) * b + np.exp(k[:, t])
    return np.stack(outputs, 1), a, b


def check(found, expected):
    y, (numerator, denominator, maximum) = found
    np.testing.assert_allclose(y, expected[0], atol=1e-5)
    # Beside the sum of weights: a maximum of 10 is rounded by 1e-6.
    scale = np.exp(np.float64(maximum)) / expected[2]
    np.testing.assert_allclose(
        numerator * scale, expected[1] / expected[2], rtol=3e-5, atol=3e-5
    )
    np.testing.assert_allclose(denominator * scale, 1 + 0 * scale, rtol=3e-5)


@every_form
@pytest.mark.parametrize("length", [1, 2, 64, 65, 200])
def test_any_length(method, length):
    given, state = arrays(length), states()
    check(ops.wkv(*given, state, method), reference(*given, state))
    check(ops.wkv(*given, method=method), reference(*given))


@every_form
def test_both_forms_keep_the_same_state(method):
    """The maximum too, also where steps fill up the last chunk."""
    given = arrays(70)
    for x, y in zip(ops.wkv(*given, method=method)[1], by_hand(*given), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


def by_hand(k, v, w, u):
    k, v = np.float64(k), np.float64(v)
    top = np.full_like(k[:, 0], -np.inf)
    for t in range(k.shape[1]):
        top = np.maximum(top - w, k[:, t])
    _, a, b = reference(k, v, w, u)
    return a * np.exp(-top), b * np.exp(-top), top


@every_form
def test_keys_whose_exponential_is_no_number(method):
    k, v, w, u = arrays(70)
    for distance in (-300, 300):
        found, _ = ops.wkv(k + distance, v, w, u, method=method)
        np.testing.assert_allclose(found, reference(k, v, w, u)[0], atol=1e-4)


def test_half_precision():
    given = arrays(70)
    y, state = ops.wkv(*(x.astype("float16") for x in given))
    assert y.dtype == "float16" and {x.dtype for x in state} == {tf.float32}
    np.testing.assert_allclose(y, reference(*given)[0], atol=0.02)


@every_form
def test_from_a_state_it_goes_on(method):
    k, v, w, u = arrays(100)
    whole, final = ops.wkv(k, v, w, u)
    parts, state = [], None
    for first, last in ((0, 70), (70, 71), (71, 100)):
        rows = slice(first, last)
        y, state = ops.wkv(k[:, rows], v[:, rows], w, u, state, method)
        parts.append(y)
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-5)
    for x, y in zip(state, final, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


def plain(k, v, w, u, *state):
    """The recurrence without a gradient of its own."""
    outputs = []
    numerator, denominator, top = state
    for t in range(k.shape[1]):
        q = tf.maximum(top, u + k[:, t])
        past, own = tf.exp(top - q), tf.exp(u + k[:, t] - q)
        y = (past * numerator + own * v[:, t]) / (past * denominator + own)
        outputs.append(y)
        q = tf.maximum(top - w, k[:, t])
        past, own = tf.exp(top - w - q), tf.exp(k[:, t] - q)
        numerator = past * numerator + own * v[:, t]
        denominator, top = past * denominator + own, q
    return tf.stack(outputs, 1), [numerator, denominator, top]


def gradients(compute, given, order=1):
    given = [tf.convert_to_tensor(x) for x in given]
    with tf.GradientTape() as outer:
        outer.watch(given)
        with tf.GradientTape() as inner:
            inner.watch(given)
            y, final = compute(*given)
            loss = tf.reduce_sum(y**2)
            loss += sum(tf.reduce_sum(tf.sin(x + 1)) for x in final)
        first = inner.gradient(loss, given)
        second = sum(tf.reduce_sum(tf.sin(x)) for x in first)
    return first if order == 1 else outer.gradient(second, given)


@every_form
@pytest.mark.parametrize("order", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_gradients_under_xla(method, order, seed, monkeypatch):
    """Those of a state too: any use of it, not only going on from it."""
    monkeypatch.setattr(_wkv, "CHUNK", 4)
    given = [*arrays(6, seed=seed), *states(seed=seed)]  # a chunk and a half
    given = [np.float64(x) for x in given]
    expected = gradients(plain, given, order)
    given = [x.astype("float32") for x in given]

    @tf.function(jit_compile=True)
    def compiled(*given):
        def compute(*x):
            return ops.wkv(*x[:4], list(x[4:]), method=method)

        return gradients(compute, given, order)

    for x, y in zip(compiled(*given), expected, strict=True):
        scale = max(1, np.abs(y).max())
        np.testing.assert_allclose(x, y, atol=1e-5 * scale)


def test_the_gradient_of_an_empty_start_is_finite():
    given = [tf.convert_to_tensor(x) for x in arrays(70)]
    found = gradients(lambda *x: ops.wkv(*x), given)
    assert all(np.isfinite(x).all() for x in found)


def gradient_ir(length, stage="hlo", **options):
    @tf.function(jit_compile=True)
    def step(k, v, w, u):
        with tf.GradientTape() as tape:
            tape.watch([k, v, w, u])
            y, _ = ops.wkv(k, v, w, u, method="chunked")
        return tape.gradient(y, [k, v, w, u])

    wide, narrow = tf.zeros((2, length, 64)), tf.ones((64,))
    lower = step.experimental_get_compiler_ir(wide, wide, narrow, narrow)
    return lower(stage=stage, **options)


def test_the_chunked_form_has_no_loop_over_steps_on_a_gpu():
    loop = re.compile(r"[)\]}] while\(")
    one_chunk = gradient_ir(64, platform_name="GPU")
    assert "HloModule" in one_chunk and not loop.search(one_chunk)
    # Over chunks: one forward, one backward.
    assert len(loop.findall(gradient_ir(256, platform_name="GPU"))) == 2


@pytest.mark.parametrize("kind", ["while", "unrolled"])
def test_as_it_is_exported(kind):
    given = arrays(20)
    with ops.loop_strategy(kind):
        check(tf.function(ops.wkv)(*given), reference(*given))


def test_bad_arguments():
    k, v, w, u = arrays(5)
    cases = {
        "must be .batch_size, time, width": (k, v[:, :4], w, u),
        "`decay` and `bonus` .width,.": (k, v, w[:2], u),
        "`initial_state`": (k, v, w, u, [x[:, :2] for x in states()]),
        "at least one step": (k[:, :0], v[:, :0], w, u),
        "method='doubling'": (k, v, w, u, None, "doubling"),
    }
    for message, arguments in cases.items():
        with pytest.raises(ValueError, match=message):
            ops.wkv(*arguments)
