"""Gradients of a model, and differences of a NumPy function to hold them against."""

import numpy as np
import tensorflow as tf


def outputs_and_gradients(model, inputs, training=False):
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=training)
        loss = tf.reduce_sum(outputs * np.cos(np.arange(outputs.shape[-1])))
    gradients = tape.gradient(loss, [w.value for w in model.trainable_weights])
    return outputs.numpy(), [tf.convert_to_tensor(g).numpy() for g in gradients]


def compare(function, arrays, gradients):
    """Gradients of `outputs_and_gradients` against differences of `function`."""
    generator, step = np.random.default_rng(5), 1e-6
    for index, array in enumerate(arrays):
        direction = generator.normal(size=array.shape)
        direction /= np.linalg.norm(direction)
        sides = []
        for sign in (1, -1):
            moved = [*arrays]
            moved[index] = array + sign * step * direction
            outputs = function(moved)
            sides.append(np.sum(outputs * np.cos(np.arange(outputs.shape[-1]))))
        slope = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(
            np.sum(gradients[index] * direction), slope, atol=1e-4, rtol=1e-4
        )


def check(model, inputs, function, training=False):
    """A model's outputs and gradients against those of a NumPy function.

    Args:
        model: The model.
        inputs: Dict of its inputs.
        function: Function of the inputs and of a dict of weights by path.
        training: How the model is called.
    """
    kept = {
        name: array.astype("float64") if array.dtype.kind == "f" else array
        for name, array in inputs.items()
    }
    w = {v.path: np.asarray(v.value, "float64") for v in model.weights}
    trained = [v.path for v in model.trainable_weights]

    def expected(arrays):
        return function(kept, w | dict(zip(trained, arrays, strict=True)))

    arrays = [w[path] for path in trained]
    outputs, gradients = outputs_and_gradients(model, inputs, training)
    np.testing.assert_allclose(outputs, expected(arrays), atol=1e-5)
    compare(expected, arrays, gradients)
