"""The models of `recipes.classify_image` that read an image as a sequence, as flags."""

import kerasseq
from recipes.shared import cell_flags, command_line

KINDS = ("rows", "pixels", "permuted")
POOLINGS = ("last", "mean", "max", "attention")
FLAGS = ("as_sequence", "units", "num_layers", "pooling")
TRANSFORMER_FLAGS = ("num_heads", "mlp_dim")
CELL_FLAGS = ("kernel_initializer", "recurrent_initializer", "forget_bias")
ALL_FLAGS = (*FLAGS, *TRANSFORMER_FLAGS, *CELL_FLAGS)
DEFAULTS = {
    "as_sequence": "rows",
    "pooling": "last",
    "num_layers": 1,
    "mlp_dim": None,
    "weight_decay": 0.0,
    # Plain images, as in the papers: the first epochs are those of a plain GRU.
    "mixup": 0.0,
    "shift": 0.0,
    "quantize": ["float16", "dynamic"],  # int8 would have no loop
}


def define_flags(flags):
    """Adds the flags that only these models have."""
    define = command_line.definer(flags, "model")
    text = "Sequence: of rows, of pixels, or of pixels in one random order; else rows."
    define("enum", "as_sequence", None, text, KINDS)
    text = "Sequence: features of the encoder, of each direction."
    define("integer", "units", 128, text, **command_line.WIDTH)
    cell_flags.define_start_flags(flags)


def archs():
    """The names of `--arch` that read a sequence; `cnn` is one of images."""
    return [name for name in kerasseq.models.encoder_kinds() if name != "cnn"]


def own_flags(arch):
    """The names of the flags that this one of `archs` has."""
    if arch == "transformer":
        return {*FLAGS, *TRANSFORMER_FLAGS}
    return {*FLAGS, *CELL_FLAGS} if _is_recurrent(arch) else {*FLAGS}


def check(flags):
    """Refuses flags that do not go together.

    Raises:
        ValueError: naming the flag.
    """
    if not _is_recurrent(flags.arch):
        return
    cell_flags.check_start(flags, "arch", flags.arch.removeprefix("bi"))
    if "int8" in flags.quantize and flags.as_sequence != "rows":
        raise ValueError(
            "An int8 file has no loop, and the steps of "
            f"--as_sequence={flags.as_sequence} are too many to write out. Received: "
            f"--quantize={','.join(flags.quantize)}. Use --quantize=dynamic."
        )


def build(flags, input_shape, num_classes, **options):
    """Builds the model.

    Args:
        flags: Flags with their defaults of `DEFAULTS`.
        input_shape: `(height, width, channels)` of the images.
        num_classes: Number of classes.
        **options: Others of `kerasseq.models.image_sequence_classifier`.

    Returns:
        A `keras.Model` from images to logits.
    """
    names = FLAGS
    if flags.arch == "transformer":
        names += TRANSFORMER_FLAGS
    options |= {name: flags[name].value for name in names}
    if _is_recurrent(flags.arch):
        options |= cell_flags.options(flags)
    return kerasseq.models.image_sequence_classifier(
        input_shape, num_classes, arch=flags.arch, **options
    )


def _is_recurrent(arch):
    return arch.removeprefix("bi") in kerasseq.layers.CELLS
