"""Gradients of logits, on the backends that can take them outside of training."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def of_logits(head: Callable, features: Any, targets: Any) -> Any:
    """The gradient of each row's own logits; the rows do not mix.

    Args:
        head: Function, as a model, from features to logits `(batch_size, classes)`.
        features: Tensor.
        targets: What the logits are weighted with, an array of their shape.

    Returns:
        A tensor of the shape of the features.

    Raises:
        ValueError: On a backend that is neither TensorFlow nor JAX.
    """

    def score(features):
        logits = ops.cast(head(features, training=False), "float32")
        return ops.sum(logits * ops.cast(targets, "float32"))

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(features)
            value = score(features)
        return tape.gradient(value, features)
    if backend == "jax":
        import jax

        return jax.grad(score)(features)
    raise ValueError(
        "This needs gradients of TensorFlow or JAX; start with "
        f"KERAS_BACKEND=tensorflow. Received: the {backend} backend"
    )
