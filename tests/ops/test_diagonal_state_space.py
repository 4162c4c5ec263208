"""S4D's recurrence by chunks, against a loop of complex numbers in double precision."""

import keras
import numpy as np
import pytest

from kerasseq import ops
from kerasseq.ops import _diagonal_state_space

WIDTH, PAIRS = 3, 4
both_rules = pytest.mark.parametrize("discretization", ["zoh", "bilinear"])
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="asks TensorFlow's compiler"
)


def arrays(length, batch_size=2, seed=0):
    generator = np.random.default_rng(seed)
    size = (WIDTH, PAIRS)
    found = [
        generator.normal(size=(batch_size, length, WIDTH)),
        generator.uniform(0.001, 0.2, WIDTH),
        np.stack([-generator.uniform(0.2, 1, size), generator.uniform(0, 12, size)]),
        generator.normal(size=(2, *size)),
        generator.normal(size=(batch_size, WIDTH, 2 * PAIRS)),
    ]
    return [x.astype("float32") for x in found]


def reference(x, delta, a, c, state, discretization):
    """Step by step."""
    x, delta, a, c, state = (np.float64(v) for v in (x, delta, a, c, state))
    a, c, dt = a[0] + 1j * a[1], c[0] + 1j * c[1], delta[:, None]
    h, outputs = state[..., :PAIRS] + 1j * state[..., PAIRS:], []
    if discretization == "zoh":
        da, db = np.exp(dt * a), (np.exp(dt * a) - 1) / a
    else:
        da, db = (1 + dt * a / 2) / (1 - dt * a / 2), dt / (1 - dt * a / 2)
    for t in range(x.shape[1]):
        h = da * h + db * x[:, t, :, None]
        outputs.append(2 * (c * h).sum(-1).real)
    return np.stack(outputs, 1), np.concatenate([h.real, h.imag], -1)


@both_rules
@pytest.mark.parametrize("length", [1, 2, 64, 65, 200])
def test_any_length(discretization, length):
    given = arrays(length)
    found = ops.diagonal_state_space(*given, discretization)
    for x, y in zip(found, reference(*given, discretization), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5 * max(1, np.abs(y).max()))


def test_no_initial_state_and_half_precision():
    *given, state = arrays(70)
    expected, _ = reference(*given, 0 * state, "zoh")
    given[0] = given[0].astype("float16")
    y, final = ops.diagonal_state_space(*given)
    assert y.dtype == "float16" and final.dtype == "float32"
    np.testing.assert_allclose(y, expected, atol=0.02)


def test_from_a_state_it_goes_on():
    x, delta, a, c, state = arrays(100)
    whole, final = ops.diagonal_state_space(x, delta, a, c, state)
    parts = []
    for first, last in ((0, 70), (70, 71), (71, 100)):
        y, state = ops.diagonal_state_space(x[:, first:last], delta, a, c, state)
        parts.append(y)
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, atol=1e-5)
    np.testing.assert_allclose(state, final, atol=1e-5)


def test_small_steps_keep_their_digits():
    """`exp(delta A) - 1` is not taken as the difference of two numbers near 1."""
    x, delta, a, c, state = arrays(1)
    given = (x, delta * 1e-4, a, c, 0 * state)
    for x, y in zip(
        ops.diagonal_state_space(*given), reference(*given, "zoh"), strict=True
    ):
        np.testing.assert_allclose(x, y, atol=2e-6 * np.abs(y).max())


def slopes(given, discretization):
    """Differences of the reference's loss along one direction for each argument."""
    generator, step = np.random.default_rng(5), 1e-6
    given = [np.float64(x) for x in given]

    def loss(arrays):
        y, final = reference(*arrays, discretization)
        return (y**2).sum() + (final**3).sum()

    for index, array in enumerate(given):
        direction = generator.normal(size=array.shape)
        direction /= np.linalg.norm(direction)
        ends = []
        for sign in (1, -1):
            moved = [*given]
            moved[index] = array + sign * step * direction
            ends.append(loss(moved))
        yield direction, (ends[0] - ends[1]) / (2 * step)


def compiled_gradients(given, discretization):
    def loss(given):
        y, final = ops.diagonal_state_space(*given, discretization)
        return keras.ops.sum(y**2) + keras.ops.sum(final**3)

    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(jax.grad(loss))(given)
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def gradients(*given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            total = loss(given)
        return tape.gradient(total, given)

    return gradients(*given)


@both_rules
@pytest.mark.parametrize("length", [3, 10])
def test_gradients_under_xla(discretization, length, monkeypatch):
    monkeypatch.setattr(_diagonal_state_space, "CHUNK", 4)  # 10: two and a half
    given = arrays(length)
    found = compiled_gradients(given, discretization)
    for gradient, (direction, slope) in zip(
        found, slopes(given, discretization), strict=True
    ):
        scale = max(1, abs(slope), np.linalg.norm(gradient))
        found_slope = np.sum(gradient * direction)
        np.testing.assert_allclose(found_slope, slope, atol=1e-5 * scale)


@on_tensorflow
def test_on_a_gpu_only_chunks_are_looped_over():
    import tensorflow as tf

    length, width, pairs = 640, 8, 16

    @tf.function(jit_compile=True)
    def step(x, delta, a, c):
        with tf.GradientTape() as tape:
            tape.watch([x, delta, a, c])
            y, _ = ops.diagonal_state_space(x, delta, a, c)
        return tape.gradient(y, [x, delta, a, c])

    shapes = ((2, length, width), (width,), *[(2, width, pairs)] * 2)
    lower = step.experimental_get_compiler_ir(*map(tf.zeros, shapes))
    text = lower(stage="hlo", platform_name="GPU")
    assert text.count(" while(") == 2  # forward and backward
    assert "f32[10,8,2,32]" in text  # a state for each chunk
    assert f"{length},8,2,32]" not in text and f"2,{length},8,32]" not in text


@on_tensorflow
@pytest.mark.parametrize("kind", ["while", "unrolled"])
def test_as_it_is_exported(kind):
    import tensorflow as tf

    given = arrays(130)
    with ops.loop_strategy(kind):
        found = tf.function(ops.diagonal_state_space)(*given)
    for x, y in zip(found, reference(*given, "zoh"), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-5 * max(1, np.abs(y).max()))


def test_bad_arguments():
    x, delta, a, c, state = arrays(5)
    cases = {
        "must be .batch_size, time, width": (x[:, :, :2], delta, a, c),
        "`delta` .width": (x, delta[:2], a, c),
        "and `output_weights` .2, width, pairs": (x, delta, a, c[..., :2]),
        "`initial_state`": (x, delta, a, c, state[:, :2]),
        "at least one step": (x[:, :0], delta, a, c),
    }
    for message, arguments in cases.items():
        with pytest.raises(ValueError, match=message):
            ops.diagonal_state_space(*arguments)
    with pytest.raises(ValueError, match="discretization='euler'"):
        ops.diagonal_state_space(x, delta, a, c, discretization="euler")
