"""Flags that the recipes for images share: splits, size, augmentation."""

import re

from recipes.shared import command_line

MAX_SIDE = 8192
FLIPS = ("none", "horizontal", "vertical", "both")


def define_image_flags(flags):
    """Adds the flags about the images: `image_options` reads them."""
    define = command_line.definer(flags, "data")
    rate = {"lower_bound": 0.0, "upper_bound": 1.0}
    text = "Fraction of the images cut off where there is no validation split."
    define("float", "validation_fraction", 0.1, text, **rate)
    text = "Fraction of the images cut off where there is no test split."
    define("float", "test_fraction", 0.2, text, **rate)
    define("string", "image_size", None, "Side in pixels, or 'HEIGHTxWIDTH'.")
    define("enum", "channels", None, "1: gray, 3: RGB; else as found.", ("1", "3"))
    define("string", "limit", None, "Training images at most, or a fraction of them.")


def image_options(flags):
    """What the loaders of images take.

    Args:
        flags: Flags with those of `define_image_flags`.

    Returns:
        A dict: `image_size`, `num_channels`, `limit`, `validation_fraction`,
        `test_fraction`.

    Raises:
        ValueError: for a size or a limit that is none.
    """
    limit = flags.limit
    if limit is not None and not re.fullmatch(r"\d+|\d*\.\d+", limit):
        raise ValueError(
            "--limit is a number of images, or a fraction of them as 0.1. "
            f"Received: --limit={limit}"
        )
    return {
        "image_size": parse_size("image_size", flags.image_size),
        "num_channels": flags.channels and int(flags.channels),
        "limit": limit and (float(limit) if "." in limit else int(limit)),
        "validation_fraction": flags.validation_fraction,
        "test_fraction": flags.test_fraction,
    }


def bound_batch_size(flags, images):
    """Lowers the default batch size to the number of training images."""
    count = len(images.train[0])
    reason = f"there are {count} training images"
    command_line.bound_default(flags, "batch_size", count, reason)


def parse_size(name, text):
    """`(height, width)` from the text of a flag, or `None`.

    Raises:
        ValueError: naming the flag, for a text that is no size.
    """
    if text is None:
        return None
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)?", text):
        raise ValueError(
            f"--{name} is a side in pixels, or HEIGHTxWIDTH such as 96x128. "
            f"Received: --{name}={text}"
        )
    sides = [int(side) for side in text.split("x")]
    if max(sides) > MAX_SIDE:
        raise ValueError(
            f"--{name} is at most {MAX_SIDE} pixels a side. Received: --{name}={text}"
        )
    return sides[0], sides[-1]


def define_augmentation_flags(flags, **defaults):
    """Adds the flags that `augmentation` reads; what is not given here is off.

    Args:
        flags: The `absl.flags.FlagValues` of the recipe.
        **defaults: Defaults of single flags, by name.
    """
    define = command_line.definer(flags, "data")

    def amount(name, text, upper_bound):
        bounds = {"lower_bound": 0.0, "upper_bound": upper_bound}
        define("float", name, defaults.get(name, 0.0), text, **bounds)

    flip = defaults.get("flip", "none")
    define("enum", "flip", flip, "Augmentation: flip at random.", FLIPS)
    amount("rotation", "Augmentation: rotate by so many degrees at most.", 180.0)
    amount("shift", "Augmentation: shift by this fraction of the sides at most.", 1.0)
    amount("zoom", "Augmentation: zoom by this fraction at most.", 0.9)
    amount("elastic", "Augmentation: bend this fraction of the images.", 1.0)
    amount("brightness", "Augmentation: change by this fraction of 255 at most.", 1.0)
    amount("contrast", "Augmentation: change by this fraction at most.", 1.0)


def augmentation(flags):
    """The Keras layers that the flags ask for, for `kerasseq.data.ImageBatches`.

    What comes in from outside mirrors the picture.

    Args:
        flags: Flags with those of `define_augmentation_flags`.

    Returns:
        A list of layers, geometry first.
    """
    from keras import layers

    flip = {"both": "horizontal_and_vertical"}.get(flags.flip, flags.flip)
    made = [layers.RandomFlip(flip)] if flip != "none" else []
    if flags.rotation:
        made.append(layers.RandomRotation(flags.rotation / 360))
    if flags.shift:
        made.append(layers.RandomTranslation(flags.shift, flags.shift))
    if flags.zoom:
        made.append(layers.RandomZoom(flags.zoom))
    if flags.elastic:
        # Of a fixed strength: Keras turns a small one into noise.
        rate = (flags.elastic, flags.elastic)
        made.append(layers.RandomElasticTransform(rate, (1.0, 1.0)))
    if flags.brightness:
        made.append(layers.RandomBrightness(flags.brightness))
    if flags.contrast:
        made.append(layers.RandomContrast(flags.contrast))
    return made
