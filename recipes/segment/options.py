"""The flags of `recipes.segment`, and which of them go together."""

from recipes.segment import heads as segment_heads
from recipes.shared import command_line, image_flags, quantization_flags


def define_data_flags(flags):
    """Adds the flags about the data."""
    define = command_line.definer(flags)
    define("string", "test_data", None, "Folder like --data; else a part of it.")
    define("integer", "num_examples", 800, "Generated images.", lower_bound=10)
    share = {"lower_bound": 0.0, "upper_bound": 1.0}
    define("float", "validation_share", 0.1, "Cut off if there is none.", **share)
    define("float", "test_share", 0.2, "Cut off if there is none.", **share)
    define("integer", "ignore_class", None, "Value of void pixels in the masks.")
    image_flags.define_image_flags(flags)


def define_model_flags(flags):
    """Adds the flags about the network and what it learns."""
    define = command_line.definer(flags)
    heads = ", ".join(segment_heads.HEADS)
    text = f"Comma list out of {heads}; the first one's score selects the epoch."
    define("string", "heads", "mask", text)
    define("integer", "width", 12, "Channels of the first stage.", lower_bound=1)
    define("integer", "depth", 3, "Number of halvings.", lower_bound=1)
    norms = ("batch", "layer", "instance", "group", "none")
    define("enum", "norm", "batch", "Kind of normalization.", norms)
    kinds = ("transposed", "bilinear")
    define("enum", "upsampling", "transposed", "How the decoder grows.", kinds)
    rate = {"lower_bound": 0.0, "upper_bound": 0.9}
    define("float", "dropout", 0.0, "Dropout at the end of the encoder.", **rate)
    define("bool", "deep_supervision", False, "Coarser stages learn too.")
    text = f"Sum of {', '.join(segment_heads.LOSSES)}, for mask and edges."
    define("string", "loss", "cross_entropy+dice", text)
    kinds = ("squared", "absolute")
    define("enum", "value_loss", "squared", "Error of image and target.", kinds)
    define("bool", "class_weights", False, "Let rare classes count as much.")
    text = "Weigh thin borders between objects as the U-Net paper does."
    define("bool", "boundary_weights", False, text)


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: naming the flag.
    """
    heads, parts = segment_heads.names(flags), flags.loss.split("+")
    losses = segment_heads.LOSSES
    if not {*parts} <= {*losses} or len({*parts}) < len(parts):
        raise ValueError(
            f"--loss is one of {', '.join(losses)}, or a sum of them such as "
            f"cross_entropy+dice. Received: --loss={flags.loss}"
        )
    for flag in ("class_weights", "boundary_weights"):
        if flags[flag].value and "mask" not in heads:
            raise ValueError(
                f"--{flag} weighs the pixels of the head `mask`. "
                f"Received: --heads={flags.heads}"
            )
    weighted = {*parts} & {"cross_entropy", "focal"} or flags.boundary_weights
    if flags.class_weights and not weighted:
        raise ValueError(
            "--class_weights goes with cross_entropy or focal; dice and jaccard "
            f"balance classes anyway. Received: --loss={flags.loss}"
        )
    quantization_flags.check(flags)
    size = image_flags.image_options(flags)["image_size"]
    if size:
        check_size(size, flags.depth)


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
