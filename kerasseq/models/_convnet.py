"""A small convolutional classifier: the baseline beside the Vision Transformer."""

import keras

from kerasseq import layers


def convnet(
    input_shape,
    num_classes,
    *,
    widths=(32, 64, 96),
    dropout=0.0,
    include_rescaling=False,
    seed=None,
    name="convnet",
):
    """Builds a plain convolutional classifier.

    Each stage is two 3 x 3 convolutions with batch normalization and ReLU; between
    stages the image is halved (rounded up) by max pooling. The mean over the last
    feature map goes into one linear layer. The default has about as many weights as a
    Vision Transformer of six blocks with 64 features.

    Args:
        input_shape: `(height, width, channels)` of the images.
        num_classes: Number of classes, or `None` for the last feature map without a
            head.
        widths: Channels of each stage.
        dropout: Dropout before the linear layer.
        include_rescaling: Whether the model takes values from 0 to 255 and brings
            them to -1 to 1 itself.
        seed: Random seed of the initial weights and of dropout.
        name: Name of the model.

    Returns:
        A functional `keras.Model` from `image`, `(batch_size, height, width,
        channels)`, to logits `(batch_size, num_classes)`. The layer `features` gives
        the last feature map, `(batch_size, rows, columns, widths[-1])`.

    Raises:
        ValueError: for sizes that are not positive.

    Example:
        >>> kerasseq.models.convnet((28, 28, 1), 10)(np.zeros((2, 28, 28, 1))).shape
        (2, 10)

    Reference:
        Simonyan and Zisserman (2015), Very Deep Convolutional Networks for Large-Scale
        Image Recognition; Ioffe and Szegedy (2015), Batch Normalization.
    """
    sizes = [*input_shape, *widths, 1 if num_classes is None else num_classes]
    if len(input_shape) != 3 or not widths or not all(x and x > 0 for x in sizes):
        raise ValueError(
            "`input_shape` must be (height, width, channels), and all sizes positive. "
            f"Received: input_shape={input_shape}, num_classes={num_classes}, "
            f"widths={widths}"
        )
    if seed is not None:
        keras.utils.set_random_seed(seed)
    x = image = keras.Input(input_shape, name="image")
    if include_rescaling:
        x = keras.layers.Rescaling(1 / 127.5, -1, name="rescaling")(x)
    for index, width in enumerate(widths):
        if index:
            pool = keras.layers.MaxPooling2D(padding="same", name=f"pool_{index}")
            x = pool(x)
        for part in ("a", "b"):
            step = f"stage_{index + 1}_{part}"
            last = index == len(widths) - 1 and part == "b"
            options = {"padding": "same", "use_bias": False, "name": step}
            x = keras.layers.Conv2D(width, 3, **options)(x)
            x = keras.layers.BatchNormalization(name=f"{step}_norm")(x)
            x = keras.layers.ReLU(name="features" if last else f"{step}_relu")(x)
    if num_classes is None:
        return keras.Model(image, x, name=name)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Dense(num_classes, name="logits")(x)
    return keras.Model(image, x, name=name)
