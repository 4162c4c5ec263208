"""Flags that the recipes for images share: size, augmentation, optimizer."""

import re

from recipes.shared import command_line, optimizer_flags, training_run

FLIPS = ("none", "horizontal", "vertical", "both")


def define_image_flags(flags):
    """Adds the flags about the images: `image_options` reads them."""
    define = command_line.definer(flags)
    define("string", "image_size", None, "Side in pixels, or 'HEIGHTxWIDTH'.")
    define("enum", "channels", None, "1: gray, 3: RGB; else as found.", ("1", "3"))
    define("string", "limit", None, "Training images at most, or a share as 0.1.")


def image_options(flags):
    """What the loaders of images take.

    Args:
        flags: Flags with those of `define_image_flags`.

    Returns:
        A dict: `image_size`, `num_channels`, `limit`.

    Raises:
        ValueError: for a size or a limit that is none.
    """
    limit = flags.limit
    if limit is not None and not re.fullmatch(r"\d+|\d*\.\d+", limit):
        raise ValueError(
            "--limit is a number of images, or a share of them such as 0.1. "
            f"Received: --limit={limit}"
        )
    return {
        "image_size": parse_size("image_size", flags.image_size),
        "num_channels": flags.channels and int(flags.channels),
        "limit": limit and (float(limit) if "." in limit else int(limit)),
    }


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
    return sides[0], sides[-1]


def define_augmentation_flags(flags, **defaults):
    """Adds the flags that `augmentation` reads; what is not given here is off.

    Args:
        flags: The `absl.flags.FlagValues` of the recipe.
        **defaults: Defaults of single flags, by name.
    """
    define = command_line.definer(flags)

    def amount(name, text, upper_bound):
        bounds = {"lower_bound": 0.0, "upper_bound": upper_bound}
        define("float", name, defaults.get(name, 0.0), text, **bounds)

    flip = defaults.get("flip", "none")
    define("enum", "flip", flip, "Augmentation: mirror at random.", FLIPS)
    amount("rotation", "Augmentation: turn by so many degrees at most.", 180.0)
    amount("shift", "Augmentation: move by this share of the sides at most.", 1.0)
    amount("zoom", "Augmentation: resize by this share at most.", 0.9)
    amount("elastic", "Augmentation: bend this share of the images.", 1.0)
    amount("brightness", "Augmentation: change by this share of 255 at most.", 1.0)
    amount("contrast", "Augmentation: change by this share at most.", 1.0)


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
        share = (flags.elastic, flags.elastic)
        made.append(layers.RandomElasticTransform(share, (1.0, 1.0)))
    if flags.brightness:
        made.append(layers.RandomBrightness(flags.brightness))
    if flags.contrast:
        made.append(layers.RandomContrast(flags.contrast))
    return made


def define_optimizer_flags(flags, learning_rate, weight_decay, ema=0.0, patience=10):
    """Adds the flags that `make_optimizer` reads, and `--patience`.

    Args:
        flags: The `absl.flags.FlagValues` of the recipe.
        learning_rate: Default of the peak.
        weight_decay: Default of the decay.
        ema: Default of `--ema`.
        patience: Default of `--patience`.
    """
    define = command_line.definer(flags)
    zero = {"lower_bound": 0}
    define("float", "learning_rate", learning_rate, "Peak of AdamW.", **zero)
    define("integer", "warmup_steps", 100, "Steps until the peak.", **zero)
    text = "Of AdamW; biases and norms are spared."
    define("float", "weight_decay", weight_decay, text, **zero)
    text = "Clip all gradients together to this norm; 0: no."
    define("float", "clip_global_norm", 1.0, text, **zero)
    text = "Use averaged weights; what a step keeps of them, as 0.99. 0: no."
    define("float", "ema", ema, text, lower_bound=0.0, upper_bound=0.99999)
    text = "Epochs without a better validation score."
    define("integer", "patience", patience, text, **zero)


def make_optimizer(flags, steps):
    """AdamW whose learning rate warms up and then falls along a cosine.

    Args:
        flags: Flags with those of `define_optimizer_flags`.
        steps: Steps of the whole run.

    Returns:
        A `keras.optimizers.AdamW`.
    """
    import keras

    schedule = training_run.cosine_schedule(
        flags.learning_rate, steps, flags.warmup_steps
    )
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=flags.weight_decay,
        global_clipnorm=flags.clip_global_norm or None,
        use_ema=flags.ema > 0,
        ema_momentum=flags.ema or 0.99,
    )
    optimizer.exclude_from_weight_decay(var_names=optimizer_flags.UNDECAYED)
    return optimizer
