"""Test-time augmentation: the mean over an image and its mirror images."""

from recipes.shared import command_line

AXES = {"none": (), "horizontal": (2,), "vertical": (1,), "both": (1, 2)}


def define_flag(flags):
    """Adds `--tta`, which `inference_model` reads."""
    text = "Test-time augmentation: mean over flipped images, at 2 or 4 times the work."
    command_line.definer(flags, "export")("enum", "tta", "none", text, list(AXES))


def inference_model(flags, model):
    """The model that is evaluated and exported.

    Args:
        flags: Flags with that of `define_flag`.
        model: A trained `keras.Model` from images to logits or values, of the image,
            `(batch_size, any)`, or of its pixels, `(batch_size, height, width, any)`;
            or to a dict of them.

    Returns:
        `model` itself, or a `keras.Model` that holds it, with the same outputs.
    """
    import keras

    axes = AXES[flags.tta]
    if not axes:
        return model
    image = keras.Input(model.input_shape[1:], name="image")
    subsets = [(), *((axis,) for axis in axes), axes][: 2 ** len(axes)]
    found = []
    for subset in subsets:
        outputs = model(_mirrored(image, subset))
        found.append(
            keras.tree.map_structure(
                lambda x, subset=subset: _mirrored(x, subset) if x.ndim == 4 else x,
                outputs,
            )
        )
    mean = keras.tree.map_structure(lambda *x: keras.layers.Average()(x), *found)
    return keras.Model(image, mean, name=f"mirrored_{model.name}")


def inner(model):
    """The model that was given to `inference_model`."""
    import keras

    held = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return next(held, model) if model.name.startswith("mirrored_") else model


def _mirrored(x, axes):
    # Padding reflects and slicing cuts: a GPU delegate does not take REVERSE_V2.
    import keras

    for axis in axes:
        size = x.shape[axis]
        margins = [(size if n == axis else 0, 0) for n in range(4)]
        x = keras.ops.pad(x, margins, "symmetric")
        x = x[:, :size] if axis == 1 else x[:, :, :size]
    return x
