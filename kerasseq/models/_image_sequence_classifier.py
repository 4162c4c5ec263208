"""Image classifier that reads the image as a sequence: its rows, or its pixels."""

import keras
import numpy as np
from keras import ops

from kerasseq import layers
from kerasseq.models import _sequence_encoders, _sequence_pooling

SEQUENCES = ("rows", "pixels", "permuted")


def image_sequence_classifier(
    input_shape,
    num_classes,
    *,
    arch="gru",
    as_sequence="rows",
    units=128,
    num_layers=1,
    dropout=0.0,
    pooling="last",
    include_rescaling=True,
    permutation_seed=0,
    seed=None,
    name="image_sequence_classifier",
    **options,
):
    """Builds a classifier that reads an image step by step.

    The image becomes a sequence, which goes through an encoder; the features of all
    steps are pooled into one vector for a linear layer. Read by its pixels, an image
    tests how long a network remembers: the first of 28 x 28 pixels lies 784 steps
    back. In a fixed random order even pixels that touch lie far apart.

    Args:
        input_shape: `(height, width, channels)` of the images.
        num_classes: Number of classes.
        arch: The encoder, one of `kerasseq.models.encoder_kinds()`: a recurrent cell,
            as `"gru"`, or `bi` and its name; `"cnn"`, convolutions over 3, 4 and 5
            steps; `"transformer"`; `"mlp"`, each step on its own.
        as_sequence: What a step is. `"rows"`: a row, `height` steps of `width *
            channels` features; `"pixels"`: a pixel in reading order, `height * width`
            steps of `channels` features; `"permuted"`: a pixel in one random order,
            the same for all images, which is part of the model.
        units: Features of the encoder; of each direction of a bidirectional one.
        num_layers: Layers of the encoder. From the second on, each adds its input.
        dropout: Float between 0 and 1. Fraction of what goes from layer to layer, and
            of the pooled vector, to drop.
        pooling: What the linear layer reads. `"last"`: the features of the last step,
            of a bidirectional encoder those of the last step forward and of the first
            one backward; `"mean"` or `"max"` over all steps; `"attention"`: a mean
            with learned weights, which the layer `attention_weights` returns.
        include_rescaling: Whether the model takes values from 0 to 255 and brings
            them to 0 to 1 itself. Black is 0, so that it leaves a state alone.
        permutation_seed: Integer that chooses the order of `"permuted"`.
        seed: Random seed of the initial weights and of dropout.
        name: Name of the model.
        **options: Others of the encoder: `num_heads` and `mlp_dim` of a
            `"transformer"`, arguments of `kerasseq.layers.StackedRNN` of a cell.

    Returns:
        A functional `keras.Model` from `image`, `(batch_size, height, width,
        channels)`, to logits `(batch_size, num_classes)`. The layer `encoder` is a
        recurrent encoder.

    Raises:
        ValueError: for an unknown encoder, sequence or pooling, or sizes that are not
            positive.

    Example:
        >>> model = kerasseq.models.image_sequence_classifier(
        ...     (28, 28, 1), 10, arch="lstm", as_sequence="pixels"
        ... )
        >>> model(np.zeros((2, 28, 28, 1))).shape
        (2, 10)

    Reference:
        Le, Jaitly and Hinton (2015), A Simple Way to Initialize Recurrent Networks of
        Rectified Linear Units, section 4.2 (pixels, and pixels permuted).
    """
    _check(input_shape, num_classes, as_sequence)
    _sequence_pooling.check(pooling)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    x = image = keras.Input(input_shape, name="image")
    if include_rescaling:
        x = keras.layers.Rescaling(1 / 255, name="rescaling")(x)
    x = _sequence(x, as_sequence, permutation_seed)
    x = _sequence_encoders.encode(
        x, None, arch, units=units, num_layers=num_layers, dropout=dropout, **options
    )
    x = _sequence_pooling.pool(x, None, pooling, units)
    x = layers.Dropout(dropout, name="output_dropout")(x)
    logits = keras.layers.Dense(num_classes, name="logits")(x)
    return keras.Model(image, logits, name=name)


def _sequence(x, as_sequence, permutation_seed):
    """`(batch_size, height, width, channels)` to `(batch_size, length, features)`."""
    _, height, width, channels = x.shape
    if as_sequence == "rows":
        return keras.layers.Reshape((height, width * channels), name="rows")(x)
    x = keras.layers.Reshape((height * width, channels), name="pixels")(x)
    if as_sequence == "pixels":
        return x
    # Of all generators of NumPy, the one whose numbers never change.
    order = np.random.RandomState(permutation_seed).permutation(height * width)
    return ops.take(x, order.tolist(), axis=1)  # a list is saved with the model


def _check(input_shape, num_classes, as_sequence):
    if as_sequence not in SEQUENCES:
        raise ValueError(
            f"`as_sequence` must be one of {', '.join(SEQUENCES)}. "
            f"Received: as_sequence={as_sequence!r}"
        )
    fixed = len(input_shape) == 3 and all(x and x > 0 for x in input_shape)
    if not fixed or num_classes < 1:
        raise ValueError(
            "`input_shape` must be (height, width, channels) with fixed sizes, and all "
            f"sizes positive. Received: input_shape={input_shape}, "
            f"num_classes={num_classes}"
        )
