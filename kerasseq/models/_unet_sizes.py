"""Which sizes a U-Net takes, what comes out, and the checks of its arguments."""

UPSAMPLINGS = ("transposed", "bilinear")
NORMS = ("batch", "layer", "instance", "group", None)


def output_side(side, depth, padding, upsampling):
    """The side of the output for a side of the input, or `None` if it does not fit."""
    stage = 4 if padding == "valid" else 0  # two 3 x 3 convolutions
    bilinear = padding == "valid" and upsampling == "bilinear"
    for _ in range(depth):
        side -= stage
        if side % 2 or side <= 0:
            return None
        side //= 2
    side -= stage
    for _ in range(depth):
        side = 2 * side - stage - (4 if bilinear else 0)  # a crop, a convolution
    return side if side > 0 else None


def check_names(norm, padding, upsampling):
    """Refuses unknown kinds."""
    if (
        norm not in NORMS
        or padding not in ("same", "valid")
        or upsampling not in UPSAMPLINGS
    ):
        raise ValueError(
            f"`norm` must be one of {NORMS}, `padding` 'same' or 'valid', and "
            f"`upsampling` one of {UPSAMPLINGS}. Received: norm={norm!r}, "
            f"padding={padding!r}, upsampling={upsampling!r}"
        )


def check_same(padding, deep_supervision, encoder):
    """Refuses valid padding with what needs stages of the same extent."""
    if padding == "valid" and (deep_supervision or encoder is not None):
        raise ValueError(
            "`deep_supervision` and `encoder` need stages that cover the same part of "
            "the image: take `padding='same'`. Received: padding='valid'"
        )


def check_outputs(outputs, num_classes, heads, width, depth):
    """Refuses no output, two ways to name them, and sizes below 1."""
    if (num_classes is None) == (heads is None) or not outputs:
        raise ValueError(
            "Give either `num_classes` or `heads={name: channels}`. Received: "
            f"num_classes={num_classes}, heads={heads}"
        )
    if min(width, depth, *outputs.values()) < 1:
        raise ValueError(
            f"Sizes must be positive. Received: width={width}, depth={depth}, "
            f"channels of the outputs {outputs}"
        )


def check_encoder(encoder, input_shape):
    """Refuses an encoder that is built for another input."""
    shapes = [tuple(x.shape[1:]) for x in encoder.inputs]
    if shapes != [tuple(input_shape)] or None in input_shape:
        raise ValueError(
            "The encoder must be built for `input_shape`, with a fixed height and "
            f"width. Received: input_shape={input_shape}, an encoder for {shapes}"
        )


def check_input_shape(input_shape, depth, padding, upsampling, deep_supervision):
    """Refuses sizes that the depth does not allow, naming the next that it does."""
    if len(input_shape) != 3 or not input_shape[-1]:
        raise ValueError(
            "`input_shape` must be (height, width, channels). Received: "
            f"input_shape={input_shape}"
        )
    sides = input_shape[:2]
    # keras.layers.UpSampling2D resizes to numbers that it must know.
    fixed = padding == "valid" or upsampling == "bilinear" or deep_supervision
    if None in sides and fixed:
        raise ValueError(
            "`padding='valid'`, `upsampling='bilinear'` and `deep_supervision` need a "
            f"fixed height and width. Received: input_shape={input_shape}"
        )
    good = [_next_side(side, depth, padding, upsampling) for side in sides]
    if good != [*sides]:
        raise ValueError(
            f"A U-Net of depth {depth} with padding={padding!r} does not fit this "
            f"size; the next one that does is {good[0]} x {good[1]}. Received: "
            f"input_shape={input_shape}"
        )


def _next_side(side, depth, padding, upsampling):
    while side is not None and not output_side(side, depth, padding, upsampling):
        side += 1
    return side
