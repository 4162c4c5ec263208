"""Grad-CAM: which positions of a feature map support a class."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasseq.explain import _gradients, _heat_maps


def grad_cam(
    model: keras.Model,
    images: Any,
    class_index: Any = None,
    layer_name: str = "features",
) -> np.ndarray:
    """Maps the evidence for a class, from the gradient at a feature map.

        alpha_k = mean over positions of d logit_c / d A_k
        L = ReLU(sum_k alpha_k A_k)

    `A_k` are the channels of the feature map. For a head of global average pooling
    and one linear layer, as in `kerasseq.models.convnet`, this is class activation
    mapping (Zhou et al., 2016): `alpha_k` is the weight from channel `k` to the class,
    divided by the number of positions. Works on the TensorFlow and the JAX backend.

    Args:
        model: A functional classifier with one input and logits
            `(batch_size, num_classes)`. (After a softmax the gradient of a
            confident prediction vanishes.)
        images: Array `(num, height, width, channels)`, as the model takes them.
        class_index: The class to explain, an int for all images or an array `(num,)`;
            `None` for the predicted class of each image.
        layer_name: Name of the layer whose output is the feature map, `(batch_size,
            rows, columns, channels)`. Everything on the way to the logits must pass
            through it.

    Returns:
        float32 array `(num, height, width)`, 0 where nothing supports the class and
        1 at the peak of each image.

    Raises:
        ValueError: If there is no such layer, its output is no feature map or the
            logits depend on more than it, if the class is not one of the model's, or
            on another backend.

    Example:
        >>> model = kerasseq.models.convnet((32, 32, 3), 10)
        >>> kerasseq.explain.grad_cam(model, images[:8]).shape
        (8, 32, 32)

    Reference:
        Selvaraju et al. (2017), Grad-CAM: Visual Explanations from Deep Networks via
        Gradient-based Localization, equations 1 and 2.
    """
    image_size = _heat_maps.check(images)
    body, head = _split(model, layer_name)
    num_classes = head.output.shape[-1]
    classes = _classes(class_index, len(images), num_classes)
    maps = []
    for part, chunk in _heat_maps.batches(images):
        features = body(chunk, training=False)
        if classes is None:
            wanted = ops.argmax(head(features, training=False), axis=-1)
        else:
            wanted = classes[part]
        gradients = _gradients.of_logits(
            head, features, ops.one_hot(wanted, num_classes)
        )
        alpha = ops.mean(gradients, axis=(1, 2), keepdims=True)
        found = ops.relu(ops.sum(alpha * features, axis=-1))
        maps.append(ops.convert_to_numpy(ops.cast(found, "float32")))
    return _heat_maps.heat_maps(np.concatenate(maps), image_size)


def _split(model, layer_name):
    """The model up to the feature map, and from there to the logits."""
    names = [layer.name for layer in getattr(model, "layers", ())]
    if layer_name not in names or len(getattr(model, "inputs", ())) != 1:
        raise ValueError(
            "Grad-CAM needs a functional model with one input and a layer whose output "
            "is the feature map; name it with `layer_name`. Received: "
            f"layer_name={layer_name!r}, model={model!r} with layers {names}"
        )
    features = model.get_layer(layer_name).output
    shapes = [tuple(x.shape) for x in keras.tree.flatten([features, model.outputs])]
    if [len(shape) for shape in shapes] != [4, 2]:
        raise ValueError(
            "Grad-CAM needs a feature map (batch_size, rows, columns, channels) and "
            f"logits (batch_size, num_classes). Received: layer_name={layer_name!r} "
            f"of shape {shapes[0]} and outputs of shapes {shapes[1:]}"
        )
    try:
        head = keras.Model(features, model.outputs[0])
    except ValueError as error:
        raise ValueError(
            "A path from the images to the logits does not pass through this layer; "
            f"name a later one. Received: layer_name={layer_name!r}"
        ) from error
    return keras.Model(model.inputs[0], features), head


def _classes(class_index, num, num_classes):
    if class_index is None:
        return None
    classes = np.asarray(class_index)
    whole = np.issubdtype(classes.dtype, np.integer)
    if not whole or classes.shape not in ((), (num,)):
        raise ValueError(
            f"`class_index` must be None, an integer or {num} integers, one for each "
            f"image. Received: class_index={class_index}"
        )
    if classes.min(initial=0) < 0 or classes.max(initial=0) >= num_classes:
        raise ValueError(
            f"The model has classes 0 to {num_classes - 1}. "
            f"Received: class_index={class_index}"
        )
    return np.broadcast_to(classes, (num,))
