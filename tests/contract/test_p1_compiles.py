"""P1: trains under XLA, and forward and gradient lower for a GPU."""

import catalog
import keras
import numpy as np
import pytest

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="asks TensorFlow's compiler"
)


@pytest.mark.parametrize("entry", catalog.keeping("P1", variants_are_slow=True))
def test_trains_under_xla(entry):
    model, inputs = entry.model(), entry.inputs()
    model.compile(keras.optimizers.Adam(0.03), "mse", jit_compile=True)
    model.optimizer.build(model.trainable_variables)  # else TensorFlow traces twice
    specs = {name: keras.KerasTensor(x.shape, x.dtype) for name, x in inputs.items()}
    targets = np.random.default_rng(0).normal(size=model(specs).shape)
    losses = [float(model.train_on_batch(inputs, targets)) for _ in range(8)]
    assert model.jit_compile
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def gpu_ir(function, *arguments):
    import tensorflow as tf

    compiled = tf.function(function, jit_compile=True, autograph=False)
    lower = compiled.experimental_get_compiler_ir(*arguments)
    return lower(stage="hlo", platform_name="GPU")


@on_tensorflow
@pytest.mark.parametrize("entry", catalog.keeping("P1", variants_are_slow=True))
def test_training_gradient_lowers_for_gpu(entry):
    import tensorflow as tf

    model = entry.model()
    inputs = {name: tf.constant(x) for name, x in entry.inputs().items()}
    fixed = [tf.constant(v.value) for v in model.non_trainable_variables]

    def gradients(weights, fixed, inputs):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            outputs, _ = model.stateless_call(weights, fixed, inputs, training=True)
            loss = tf.reduce_mean(outputs**2)
        return tape.gradient(loss, weights)

    weights = [tf.constant(v.value) for v in model.trainable_variables]
    ir = gpu_ir(gradients, weights, fixed, inputs)
    assert "HloModule" in ir
    if entry.loops:
        assert "while" in ir  # the loop is there, not unrolled
    assert "CudnnRNN" not in ir


@on_tensorflow
def test_the_gpu_check_fails_where_it_must():
    import tensorflow as tf

    def cudnn(x):
        state = tf.zeros((1, 2, 3))
        size = 4 * (3 * 3 + 3 * 3 + 6)
        return tf.raw_ops.CudnnRNNV3(
            input=x,
            input_h=state,
            input_c=state,
            params=tf.zeros((size,)),
            sequence_lengths=tf.constant([5, 5]),
        )[0]

    with pytest.raises(Exception, match="CudnnRNNV3"):
        gpu_ir(cudnn, tf.zeros((5, 2, 3)))
