"""U-Net: an image to a map of the same size, for segmentation and regression."""

import keras

from kerasseq import layers
from kerasseq.models import _unet_sizes


def unet(
    input_shape,
    num_classes=None,
    *,
    width=32,
    depth=4,
    norm="batch",
    padding="same",
    upsampling="transposed",
    dropout=0.0,
    deep_supervision=False,
    heads=None,
    encoder=None,
    include_rescaling=False,
    seed=None,
    name="unet",
):
    """Builds a U-Net.

    Each of `depth` stages of the encoder is two 3 x 3 convolutions, then 2 x 2 max
    pooling; the decoder doubles the size again and joins the encoder's map of that
    size. Channels double from stage to stage. The paper's network is
    `unet((572, 572, 1), 2, width=64, norm=None, padding="valid", dropout=0.5)`.

    Several heads share the network: one may tell classes and another regress values.
    All are linear, so that the loss decides what they learn: logits for a cross
    entropy, values for a squared error (an auto-encoder, image to image).

    Args:
        input_shape: `(height, width, channels)`; with `padding="same"` height and
            width are multiples of `2**depth`, or `None` for any such size (not with
            `"bilinear"` and `deep_supervision`, which resize to known sizes).
        num_classes: Number of classes of a pixel, for a model with one output.
        width: Channels of the first stage.
        depth: Number of halvings.
        norm: After each convolution: `"batch"`; `"layer"` over the channels of a
            pixel; `"instance"` over the pixels of a channel; `"group"` over groups of
            8 channels (all, where 8 does not divide them) and their pixels; `None` for
            a bias instead. All but `"batch"` do not depend on the batch size.
        padding: `"same"`, or `"valid"` as in the paper: the output is smaller, and
            no output sees what lies beyond the image.
        upsampling: `"transposed"` convolution, or `"bilinear"` and a 3 x 3
            convolution, which gives no checkerboard.
        dropout: Dropout at the end of the encoder.
        deep_supervision: Whether the coarser stages of the decoder predict too. The
            output is then a dict, `mask` and `mask_2`, `mask_4`, ..., the number
            telling how much coarser, all brought to the size of `mask` (Lee et al.,
            2015). For use, take `mask` alone.
        heads: `{name: channels}` for several outputs, instead of `num_classes`.
        encoder: Optional `keras.Model`, such as one of `keras.applications`, instead
            of the encoder's stages: of each size the last feature map is joined, of
            full size the image if there is none. Its weights are shared, its input
            shape is `input_shape`, and what values it takes is up to it.
        include_rescaling: Whether the model takes values from 0 to 255 and brings
            them to -1 to 1 itself.
        seed: Random seed of the initial weights and of dropout.
        name: Name of the model.

    Returns:
        A functional `keras.Model` from `image`, `(batch_size, height, width,
        channels)`, to logits `(batch_size, height, width, num_classes)`, or to a dict
        of one such tensor a head.

    Raises:
        ValueError: for a size that the depth does not allow (the message names the
            next one that it does), unknown names, sizes that are not positive, or an
            encoder without feature maps of half the size and so on.

    Example:
        >>> model = kerasseq.models.unet((96, 96, 3), heads={"mask": 2, "edges": 2})
        >>> {name: x.shape for name, x in model(np.zeros((1, 96, 96, 3))).items()}
        {'mask': (1, 96, 96, 2), 'edges': (1, 96, 96, 2)}

    Reference:
        Ronneberger, Fischer and Brox (2015), U-Net: Convolutional Networks for
        Biomedical Image Segmentation; Lee et al. (2015), Deeply-Supervised Nets.
    """
    outputs = {"logits": num_classes} if heads is None else dict(heads)
    _unet_sizes.check_names(norm, padding, upsampling)
    _unet_sizes.check_same(padding, deep_supervision, encoder)
    _unet_sizes.check_outputs(outputs, num_classes, heads, width, depth)
    _unet_sizes.check_input_shape(
        input_shape, depth, padding, upsampling, deep_supervision
    )
    if seed is not None:
        keras.utils.set_random_seed(seed)
    x = image = keras.Input(input_shape, name="image")
    if include_rescaling:
        x = keras.layers.Rescaling(1 / 127.5, -1, name="rescaling")(x)
    if encoder is None:
        x, skips = _encode(x, width, depth, norm, padding)
    else:
        _unet_sizes.check_encoder(encoder, input_shape)
        x, skips = _encode_with(encoder, x, depth)
    x = layers.Dropout(dropout, name="dropout")(x)
    stages = []
    for level in reversed(range(depth)):
        x = _upsample(x, width * 2**level, upsampling, padding, f"up_{level + 1}")
        x = _join(x, skips[level], f"up_{level + 1}")
        x = _convolve(x, width * 2**level, norm, padding, f"up_{level + 1}")
        stages.append((level, x))
    if heads is None and deep_supervision:
        outputs = {"mask": num_classes}
    tensors = {key: _head(x, count, key) for key, count in outputs.items()}
    if deep_supervision:
        tensors |= _coarse(stages[:-1], outputs)
    elif heads is None:
        tensors = tensors["logits"]
    return keras.Model(image, tensors, name=name)


def _encode(x, width, depth, norm, padding):
    skips = []
    for level in range(depth):
        x = _convolve(x, width * 2**level, norm, padding, f"down_{level + 1}")
        skips.append(x)
        x = keras.layers.MaxPooling2D(name=f"down_{level + 1}_pool")(x)
    return _convolve(x, width * 2**depth, norm, padding, "bottom"), skips


def _encode_with(encoder, x, depth):
    """Feature maps of a given model: of each halving the last one."""
    height, width = x.shape[1:3]
    wanted = [(height >> level, width >> level) for level in range(depth + 1)]
    found = {}
    for layer in encoder.layers:
        shape = getattr(layer.output, "shape", ())
        if len(shape) == 4 and not isinstance(layer, keras.layers.InputLayer):
            found[tuple(shape[1:3])] = layer.output
    missing = [size for size in wanted[1:] if size not in found]
    if missing:
        raise ValueError(
            "The encoder must have feature maps of half the size, a quarter and so on, "
            "`depth` times; of a model that wraps one, pass the inner one. Received: "
            f"depth={depth}, an encoder without maps of {missing}; it has "
            f"{sorted(found, reverse=True)}"
        )
    inner = {str(n): found[size] for n, size in enumerate(wanted) if size in found}
    maps = keras.Model(encoder.inputs[0], inner, name="encoder")(x)
    skips = [maps.get("0", x), *(maps[str(n)] for n in range(1, depth))]
    return maps[str(depth)], skips


def _convolve(x, filters, norm, padding, name):
    for part in ("a", "b"):
        layer = keras.layers.Conv2D(
            filters,
            3,
            padding=padding,
            use_bias=norm is None,
            kernel_initializer="he_normal",
            name=f"{name}_{part}",
        )
        x = _normalize(layer(x), norm, f"{name}_{part}_norm")
        x = keras.layers.ReLU(name=f"{name}_{part}_relu")(x)
    return x


def _normalize(x, norm, name):
    channels = x.shape[-1]
    if norm == "batch":
        return keras.layers.BatchNormalization(name=name)(x)
    if norm == "layer":
        return keras.layers.LayerNormalization(epsilon=1e-6, name=name)(x)
    if norm == "instance":
        return keras.layers.GroupNormalization(channels, epsilon=1e-5, name=name)(x)
    if norm == "group":
        groups = channels // 8 if channels % 8 == 0 else 1
        return keras.layers.GroupNormalization(groups, epsilon=1e-5, name=name)(x)
    return x


def _upsample(x, filters, upsampling, padding, name):
    if upsampling == "transposed":
        return keras.layers.Conv2DTranspose(filters, 2, 2, name=f"{name}_conv")(x)
    x = _grow(x, 2, f"{name}_double")
    if padding == "valid":  # at its border it sees the outermost pixel twice
        x = keras.layers.Cropping2D(1, name=f"{name}_inner")(x)
    return keras.layers.Conv2D(filters, 3, padding=padding, name=f"{name}_conv")(x)


def _join(x, skip, name):
    crops = [
        ((a - b) // 2, a - b - (a - b) // 2) if a and b else (0, 0)
        for a, b in zip(skip.shape[1:3], x.shape[1:3], strict=True)
    ]
    if any(sum(crop) for crop in crops):
        skip = keras.layers.Cropping2D(crops, name=f"{name}_crop")(skip)
    return keras.layers.Concatenate(name=f"{name}_join")([skip, x])


def _head(x, channels, name):
    return keras.layers.Conv2D(channels, 1, name=f"{name}_head")(x)


def _coarse(stages, outputs):
    """The heads of the coarser stages, brought to full size."""
    tensors = {}
    for level, x in stages:
        for key, channels in outputs.items():
            name = f"{key}_{2**level}"
            tensors[name] = _grow(_head(x, channels, name), 2**level, name)
    return tensors


def _grow(x, size, name):
    # Always float32: under XLA on TensorFlow its gradient has no other dtype.
    grow = keras.layers.UpSampling2D(
        size, interpolation="bilinear", dtype="float32", name=name
    )
    return grow(x)
