"""The model of `recipes.segment`, and how it is trained, as flags."""

import kerasseq
from recipes.segment import heads as segment_heads
from recipes.shared import command_line, optimizer_flags


def define_flags(flags):
    """Adds the flags of the model and of its training."""
    define = command_line.definer(flags, "model")
    heads = ", ".join(segment_heads.HEADS)
    text = f"Comma list out of {heads}; the first one's score selects the epoch."
    define("string", "heads", "mask", text)
    define(
        "integer", "width", 12, "Channels of the first stage.", **command_line.LAYERS
    )
    define("integer", "depth", 3, "Number of halvings.", lower_bound=1, upper_bound=8)
    norms = ("batch", "layer", "instance", "group", "none")
    define("enum", "norm", "batch", "Kind of normalization.", norms)
    kinds = ("transposed", "bilinear")
    define("enum", "upsampling", "transposed", "Upsampling in the decoder.", kinds)
    text = "Dropout at the end of the encoder."
    define("float", "dropout", 0.0, text, **command_line.RATE)
    text = "Deep supervision: the coarser stages of the decoder learn too."
    define("bool", "deep_supervision", False, text)
    text = f"Sum of {', '.join(segment_heads.LOSSES)}, for mask and edges."
    define("string", "loss", "cross_entropy+dice", text)
    kinds = ("squared", "absolute")
    define("enum", "value_loss", "squared", "Error of image and target.", kinds)
    optimizer_flags.define_flags(
        flags, learning_rate=3e-3, weight_decay=1e-4, ema=0.99, patience=10
    )


def build(flags, images):
    """Builds the U-Net that the flags describe.

    Args:
        flags: Flags with those of `define_flags`, and `seed`.
        images: The loaded `kerasseq.data.MaskedImages`.

    Returns:
        A `keras.Model` from images, 0 to 255, to a dict of logits or values by head.
    """
    return kerasseq.models.unet(
        images.train[0].shape[1:],
        heads=segment_heads.channels(flags, images),
        width=flags.width,
        depth=flags.depth,
        norm=None if flags.norm == "none" else flags.norm,
        upsampling=flags.upsampling,
        dropout=flags.dropout,
        deep_supervision=flags.deep_supervision,
        include_rescaling=True,
        seed=flags.seed,
    )


def compile_model(flags, model, data):
    """Compiles the model with a loss per head, the optimizer and its schedule."""
    steps = flags.epochs * len(data["train"])
    schedule = optimizer_flags.cosine_schedule(flags, steps)
    model.compile(
        optimizer_flags.make_optimizer(flags, schedule),
        **segment_heads.compile_options(flags, data["images"]),
        jit_compile=flags.jit_compile,
    )


def check_size(shape, depth):
    """Raises `ValueError`, naming the next size, unless `depth` halvings are whole."""
    step = 2**depth
    good = [-(-side // step) * step for side in shape[:2]]
    if good != [*shape[:2]]:
        size = str(good[0]) if good[0] == good[1] else f"{good[0]}x{good[1]}"
        raise ValueError(
            f"With --depth={depth} the sides must be multiples of {step}; the next "
            f"size is --image_size={size}. Received: {shape[0]}x{shape[1]}"
        )
