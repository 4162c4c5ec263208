"""Mamba-2's recurrence by chunks, against a loop in float64."""

import re

import keras
import numpy as np
import pytest

from kerasseq import ops
from kerasseq.ops import _state_space_duality

HEADS, DIM, STATES = 4, 3, 5
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="asks TensorFlow's compiler"
)


def arrays(length, groups=1, batch_size=2, seed=0):
    generator = np.random.default_rng(seed)
    rates = (batch_size, length, HEADS)
    narrow = (batch_size, length, groups, STATES)
    found = [
        generator.normal(size=(*rates, DIM)),
        generator.uniform(0.01, 0.5, rates),
        -generator.uniform(0.2, 4, HEADS),
        generator.normal(size=narrow),
        generator.normal(size=narrow),
        generator.normal(size=(batch_size, HEADS, DIM, STATES)),
    ]
    return [x.astype("float32") for x in found]


def reference(x, delta, a, b, c, state):
    """The recurrence step by step, in float64."""
    x, delta, a, b, c, state = (np.float64(v) for v in (x, delta, a, b, c, state))
    b, c = (np.repeat(v, HEADS // v.shape[2], 2) for v in (b, c))
    outputs = []
    for t in range(x.shape[1]):
        decay = np.exp(delta[:, t] * a)[..., None, None]  # (batch_size, HEADS, 1, 1)
        added = (delta[:, t, :, None] * x[:, t])[..., None] * b[:, t, :, None]
        state = decay * state + added
        outputs.append((state * c[:, t, :, None]).sum(-1))
    return np.stack(outputs, 1), state


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("length", [1, 2, 64, 65, 200])
def test_any_length(length, groups):
    given = arrays(length, groups)
    found = ops.state_space_duality(*given)
    for x, y in zip(found, reference(*given), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)


def test_no_initial_state_and_half_precision():
    *given, state = arrays(70)
    expected, _ = reference(*given, 0 * state)
    y, final = ops.state_space_duality(*(x.astype("float16") for x in given))
    assert y.dtype == "float16" and final.dtype == "float32"
    np.testing.assert_allclose(y, expected, atol=0.02)


def test_from_a_state_it_goes_on():
    x, delta, a, b, c, state = arrays(100)
    whole, final = ops.state_space_duality(x, delta, a, b, c, state)
    parts = []
    for first, last in ((0, 70), (70, 71), (71, 100)):
        rows = slice(first, last)
        sequences = (x[:, rows], delta[:, rows], a, b[:, rows], c[:, rows])
        y, state = ops.state_space_duality(*sequences, state)
        parts.append(y)
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-5)
    np.testing.assert_allclose(state, final, atol=1e-5)


def test_what_has_decayed_to_nothing_is_zero():
    """Long steps of fast heads: no power of them overflows, forward or backward."""
    x, delta, a, b, c, state = arrays(130)
    given = (x, 100 * delta, 16 * a, b, c, state)
    y, final = ops.state_space_duality(*given)
    expected, last = reference(*given)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(final, last, rtol=1e-5, atol=1e-3)


def plain(x, delta, a, b, c, state):
    """The same as a loop without a gradient of its own."""
    repeat, outputs = HEADS // b.shape[2], []
    b, c = (keras.ops.repeat(v, repeat, 2) for v in (b, c))
    for t in range(x.shape[1]):
        decay = keras.ops.exp(delta[:, t] * a)[..., None, None]
        added = (delta[:, t, :, None] * x[:, t])[..., None] * b[:, t, :, None]
        state = decay * state + added
        outputs.append(keras.ops.sum(state * c[:, t, :, None], -1))
    return keras.ops.stack(outputs, 1), state


def loss(compute, given):
    y, final = compute(*given)
    return keras.ops.sum(y**2) + keras.ops.sum(final**3)


def weighed(tensors):
    """A linear function, so that its gradient has the tensors' own rounding only."""
    flat = keras.ops.concatenate([keras.ops.reshape(x, (-1,)) for x in tensors])
    return keras.ops.sum(flat * np.cos(np.arange(len(flat))).astype("float32"))


def gradients(compute, given, order=1):
    if keras.backend.backend() == "jax":
        return _gradients_on_jax(compute, given, order)
    import tensorflow as tf

    given = [tf.convert_to_tensor(x) for x in given]
    with tf.GradientTape() as outer:
        outer.watch(given)
        with tf.GradientTape() as inner:
            inner.watch(given)
            total = loss(compute, given)
        first = inner.gradient(total, given)
        second = weighed(first)
    return first if order == 1 else outer.gradient(second, given)


def _gradients_on_jax(compute, given, order):
    import jax

    first = jax.grad(lambda x: loss(compute, x))
    if order == 1:
        return first(given)
    return jax.grad(lambda x: weighed(first(x)))(given)


def compiled(function, given):
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)(given)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)([tf.constant(x) for x in given])


SLOW = pytest.mark.slow


@pytest.mark.parametrize("jit_compile", [True, pytest.param(False, marks=SLOW)])
@pytest.mark.parametrize("order", [1, pytest.param(2, marks=SLOW)])
@pytest.mark.parametrize("groups", [1, 2])
def test_gradients(groups, order, jit_compile, monkeypatch):
    monkeypatch.setattr(_state_space_duality, "CHUNK", 4)
    given = arrays(6, groups)  # a chunk and a half
    expected = gradients(plain, given, order)

    def function(given):
        return gradients(ops.state_space_duality, given, order)

    found = compiled(function, given) if jit_compile else function(given)
    for x, y in zip(found, expected, strict=True):
        scale = max(1, np.abs(y).max())
        np.testing.assert_allclose(x, y, atol=1e-5 * scale)


def training_step(*shapes):
    """A compiled gradient, and specs of what it takes."""
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def step(*given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            y, _ = ops.state_space_duality(*given)
        return tape.gradient(y, given)

    return step.experimental_get_compiler_ir(*map(tf.zeros, shapes))


@on_tensorflow
def test_states_and_weights_of_all_steps_are_never_in_memory():
    """But those of a chunk, forward and backward."""
    length, heads, width, states = 2048, 4, 16, 32
    lower = training_step(
        (2, length, heads, width),
        (2, length, heads),
        (heads,),
        (2, length, 1, states),
        (2, length, 1, states),
    )
    text = lower(stage="optimized_hlo")
    sizes = [
        np.prod([int(x) for x in shape.split(",")])
        for shape in set(re.findall(r"f32\[([\d,]+)\]", text))
    ]
    # Inputs and outputs, which are as long as the sequence, and no more.
    assert max(sizes) <= 2 * length * heads * max(width, states)


@on_tensorflow
def test_on_a_gpu_only_chunks_are_looped_over():
    lower = training_step((1, 640, 2, 4), (1, 640, 2), (2,), *[(1, 640, 1, 3)] * 2)
    text = lower(stage="hlo", platform_name="GPU")
    assert text.count(" while(") == 2  # forward and backward
    assert "[640]" not in text and "f32[10," in text  # stacks of chunks, not of steps


@on_tensorflow
@pytest.mark.parametrize("kind", ["while", "unrolled"])
def test_as_it_is_exported(kind):
    import tensorflow as tf

    given = arrays(130)
    with ops.loop_strategy(kind):
        found = tf.function(ops.state_space_duality)(*given)
    for x, y in zip(found, reference(*given), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5)


def test_bad_arguments():
    x, delta, a, b, c, state = arrays(5)
    cases = {
        "must be .batch_size, time, heads, head_dim": (x, delta[:, :4], a, b, c),
        "`transition` .heads": (x, delta, a[:3], b, c),
        "multiple of groups": (x, delta, a, *[np.repeat(b, 3, 2)] * 2),
        "`initial_state`": (x, delta, a, b, c, state[:, :2]),
        "at least one step": (x[:, :0], delta[:, :0], a, b[:, :0], c[:, :0]),
    }
    for message, arguments in cases.items():
        with pytest.raises(ValueError, match=message):
            ops.state_space_duality(*arguments)
