import numpy as np
import pytest
import tensorflow as tf

from kerasseq import ops

X = np.arange(12, dtype="float32").reshape(4, 3)


def running_sum(x, total):
    total = total + x
    return total, total


@pytest.mark.parametrize("kind", ["train", "while", "unrolled"])
def test_running_sum(kind):
    with ops.loop_strategy(kind):
        outputs, total = ops.time_loop(running_sum, X, np.zeros(3, "float32"))
        last, _ = ops.time_loop(running_sum, X, np.zeros(3, "float32"), collect=False)
    np.testing.assert_allclose(outputs, X.cumsum(0))
    np.testing.assert_allclose(total, X.sum(0))
    np.testing.assert_allclose(last, X.sum(0))


@pytest.mark.parametrize("kind", ["train", "while", "unrolled"])
def test_nested_inputs_outputs_and_states(kind):
    def step(inputs, states):
        product = inputs["a"] * inputs["b"] + states[0]
        return (product, inputs["a"]), [product, states[1] + 1]

    inputs = {"a": tf.constant([1.0, 2.0, 3.0]), "b": tf.constant([4.0, 5.0, 6.0])}
    with ops.loop_strategy(kind):
        outputs, states = ops.time_loop(
            step, inputs, [tf.constant(0.0), tf.constant(0)]
        )
    np.testing.assert_allclose(outputs[0], [4, 14, 32])
    np.testing.assert_allclose(outputs[1], [1, 2, 3])
    assert float(states[0]) == 32 and int(states[1]) == 3


@pytest.mark.parametrize("length", [4, None])
def test_gradient_under_xla_also_with_unknown_length(length):
    signature = tf.TensorSpec((length, 3), tf.float32)

    @tf.function(jit_compile=True, input_signature=[signature], autograph=False)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs, _ = ops.time_loop(
                lambda x, h: (x * x + h, x * x + h), x, tf.zeros(3)
            )
            loss = tf.reduce_sum(outputs)
        return tape.gradient(loss, x)

    # x[t] stands in the outputs of step t and of all later ones.
    counts = np.array([[4], [3], [2], [1]])
    np.testing.assert_allclose(gradient(X), 2 * X * counts, rtol=1e-6)


def test_static_length_is_asked_for():
    @tf.function(input_signature=[tf.TensorSpec((None, 3))], autograph=False)
    def unrolled(x):
        return ops.time_loop(running_sum, x, tf.zeros(3), unroll=True)[0]

    with pytest.raises(ValueError, match="static number of time steps"):
        unrolled(X)


def test_unknown_lowering():
    with pytest.raises(ValueError, match="`kind` must be one of"):
        with ops.loop_strategy("fast"):
            pass


@pytest.mark.parametrize("collect", [True, False])
def test_one_step_is_no_loop(collect):
    signature = tf.TensorSpec((1, 3), tf.float32)

    @tf.function(input_signature=[signature], autograph=False)
    def one_step(x):
        return ops.time_loop(running_sum, x, tf.ones(3), collect=collect)

    operations = {
        op.type for op in one_step.get_concrete_function().graph.get_operations()
    }
    assert not operations & {"While", "StatelessWhile"}
    outputs, total = one_step(X[:1])
    np.testing.assert_allclose(outputs, X[:1] + 1 if collect else X[0] + 1)
    np.testing.assert_allclose(total, X[0] + 1)


@pytest.mark.parametrize("kind", ["while", "fused", "loopless"])
@pytest.mark.parametrize("length", [1, 2, 7, 10])
@pytest.mark.parametrize("width", [3, 129])
def test_several_steps_a_turn(kind, length, width):
    x = np.random.default_rng(0).normal(size=(length, width)).astype("float32")
    with ops.loop_strategy(kind) as counts:
        outputs, total = ops.time_loop(running_sum, x, tf.zeros(width))
        last, _ = ops.time_loop(running_sum, x, tf.zeros(width), collect=False)
    np.testing.assert_allclose(outputs, x.cumsum(0), atol=1e-5)
    np.testing.assert_allclose(total, x.sum(0), atol=1e-5)
    np.testing.assert_allclose(last, x.sum(0), atol=1e-5)
    assert counts.num_steps == (2 * length if length > 1 else 0)


def test_outputs_of_another_type_than_the_inputs():
    with ops.loop_strategy("while"):
        outputs, _ = ops.time_loop(lambda x, n: (n, n + 1), X, tf.constant(0))
    np.testing.assert_array_equal(outputs, range(4))
