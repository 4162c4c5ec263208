"""Which pixels of an image speak for its class, of any classifier."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasseq.explain import _gradients, _heat_maps


def gradient_times_input(model: keras.Model, images: Any) -> np.ndarray:
    """Maps the evidence for the predicted class, pixel by pixel.

        r = ReLU(sum over channels of x . d (logit_c - mean of all logits) / d x)

    It asks nothing of the model but gradients, where Grad-CAM needs a feature map and
    attention rollout needs attention: this is the map of a recurrent network. Black
    pixels, 0, have none of it. Works on the TensorFlow and the JAX backend.

    Args:
        model: A classifier of images with logits `(batch_size, num_classes)`, such as
            `kerasseq.models.image_sequence_classifier`.
        images: Array `(num, height, width, channels)`, as the model takes them.

    Returns:
        float32 array `(num, height, width)`, 0 where nothing supports the class and
        1 at the peak of each image.

    Raises:
        ValueError: If the images are no such array, the output of the model is not
            one array of logits, or on another backend.

    Example:
        >>> model = kerasseq.models.image_sequence_classifier((28, 28, 1), 10)
        >>> kerasseq.explain.gradient_times_input(model, images[:8]).shape
        (8, 28, 28)

    Reference:
        Shrikumar et al. (2016), Not Just a Black Box: Learning Important Features
        Through Propagating Activation Differences.
    """
    image_size = _heat_maps.check(images)
    shapes = [tuple(x.shape) for x in getattr(model, "outputs", ())]
    if len(shapes) != 1 or len(shapes[0]) != 2:
        raise ValueError(
            "The model must have one output, logits (batch_size, num_classes). "
            f"Received: {model!r} with outputs of shapes {shapes}"
        )
    maps = [_map_of(model, chunk) for _, chunk in _heat_maps.batches(images)]
    return _heat_maps.heat_maps(np.concatenate(maps), image_size)


def _map_of(model, images):
    x = ops.convert_to_tensor(images, "float32")
    logits = ops.convert_to_numpy(model(x, training=False))
    # The mean makes it independent of what is added to all logits.
    targets = np.eye(logits.shape[-1])[logits.argmax(axis=-1)] - 1 / logits.shape[-1]
    gradients = _gradients.of_logits(model, x, targets)
    return ops.convert_to_numpy(ops.relu(ops.sum(x * gradients, axis=-1)))
