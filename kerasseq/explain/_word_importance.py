"""Which words of a text speak for its class."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasseq.explain import _gradients


def word_importance(
    model: keras.Model,
    tokens: Any,
    class_index: Any = None,
    layer_name: str = "embedding",
) -> np.ndarray:
    """Gradient times input of each word, from the logits to the embeddings.

        r_t = e_t . d (logit_c - mean of all logits) / d e_t

    `e_t` is the embedding of word `t`. The mean makes it independent of what is added
    to all logits. A linear model's logits are the sum of its words' values; of a deep
    one they are a first-order approximation, and saturated gates show little. Works
    on the TensorFlow and the JAX backend.

    Args:
        model: A functional classifier of tokens, such as
            `kerasseq.models.text_classifier`, with logits `(batch_size, num_classes)`.
        tokens: Integer array `(num, length)`, 0 for padding.
        class_index: The class to explain, an int for all texts or an array `(num,)`;
            `None` for the predicted class of each text.
        layer_name: Name of the layer that embeds the tokens.

    Returns:
        float32 array `(num, length)`: above 0 for words that speak for the class,
        below for those that speak against it, 0 for padding.

    Raises:
        ValueError: If there is no such layer, the model has other inputs or outputs,
            the class is not one of the model's, or on another backend.

    Example:
        >>> model = kerasseq.models.text_classifier(100, 2)
        >>> kerasseq.explain.word_importance(model, np.array([[5, 7, 9, 0]])).shape
        (1, 4)

    Reference:
        Denil et al. (2014), Extraction of Salient Sentences from Labelled Documents;
        Shrikumar et al. (2016), Not Just a Black Box (gradient times input).
    """
    tokens = np.asarray(tokens)
    body, head = _split(model, layer_name, tokens)
    ids, num_classes = ops.convert_to_tensor(tokens), head.output.shape[-1]

    def of_embedded(features, training):
        return head([ids, features], training=training)

    embedded = body(ids, training=False)
    logits = ops.convert_to_numpy(of_embedded(embedded, training=False))
    wanted = _classes(class_index, logits)
    targets = np.eye(num_classes, dtype="float32")[wanted] - 1 / num_classes
    gradients = _gradients.of_logits(of_embedded, embedded, targets)
    found = ops.sum(ops.cast(gradients * embedded, "float32"), axis=-1)
    return ops.convert_to_numpy(found) * (tokens != 0)


def _split(model, layer_name, tokens):
    """The model up to the embeddings, and from tokens and embeddings to logits."""
    names = [layer.name for layer in getattr(model, "layers", ())]
    shapes = [x.shape for x in getattr(model, "outputs", ())]
    fits = layer_name in names and len(model.inputs) == len(shapes) == 1
    if not fits or len(shapes[0]) != 2 or tokens.ndim != 2:
        raise ValueError(
            "Word importance needs a functional model from `tokens` of shape (num, "
            "length) to logits (num, num_classes), and the name of its embeddings. "
            f"Received: tokens of shape {tokens.shape}, layer_name={layer_name!r}, a "
            f"model with layers {names} and outputs of shapes {shapes}"
        )
    # Of a copy: Keras cannot write the configuration of a model that was cut.
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    model, embedded = copy, copy.get_layer(layer_name).output
    head = keras.Model([model.inputs[0], embedded], model.outputs[0])
    return keras.Model(model.inputs[0], embedded), head


def _classes(class_index, logits):
    if class_index is None:
        return logits.argmax(axis=-1)
    classes, (num, num_classes) = np.asarray(class_index), logits.shape
    whole = np.issubdtype(classes.dtype, np.integer)
    if not whole or classes.shape not in ((), (num,)):
        raise ValueError(
            f"`class_index` must be None, an integer or {num} integers, one for each "
            f"text. Received: class_index={class_index}"
        )
    if classes.min(initial=0) < 0 or classes.max(initial=0) >= num_classes:
        raise ValueError(
            f"The model has classes 0 to {num_classes - 1}. "
            f"Received: class_index={class_index}"
        )
    return np.broadcast_to(classes, (num,))
