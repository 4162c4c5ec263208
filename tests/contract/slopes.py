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
