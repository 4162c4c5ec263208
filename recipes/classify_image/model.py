"""The models of `recipes.classify_image`, and how they are trained, as flags."""

import kerasseq
from recipes.classify_image import sequence
from recipes.shared import command_line, optimizer_flags

VIT_SIZES = ("hidden_dim", "num_layers", "num_heads", "mlp_dim")
VIT_FLAGS = ("size", "patch_size", *VIT_SIZES, "pooling", "positions", "stem")
VIT_FLAGS += ("attention_dropout", "stochastic_depth")
ARCHS = {"vit": {*VIT_FLAGS}, "cnn": {"widths"}}  # the others read a sequence
POOLINGS = {"vit": ("mean", "token"), "cnn": (None,)}
# Side of a patch, and the largest image it is the default for.
PATCH_SIZES = ((2, 16), (4, 64), (8, 128))
LARGE_PATCH = 16


def define_flags(flags):
    """Adds the flags of the model and of its training.

    Args:
        flags: The `absl.flags.FlagValues` of the recipe.
    """
    define = command_line.definer(flags, "model")
    # No enum: to name the cells here would import Keras for every use of a file.
    text = "vit (Vision Transformer), cnn, or what reads the image as a sequence: a "
    text += "cell, as gru, lstm or irnn, bi and a cell (bigru), a block, as mamba, "
    text += "transformer or mlp."
    define("string", "arch", "vit", text)
    _define_vit_flags(define)
    define("list", "widths", ["32", "64", "96"], "CNN: channels of each stage.")
    sequence.define_flags(flags)
    define("float", "dropout", 0.1, "Dropout.", **command_line.RATE)
    define("float", "label_smoothing", 0.0, "Label smoothing.", **command_line.RATE)
    optimizer_flags.define_flags(
        flags, learning_rate=2e-3, weight_decay=0.05, ema=0.99, patience=30
    )
    text = "What selects the epoch, on the validation split."
    choices = ("cross_entropy", "accuracy")
    define("enum", "monitor", "cross_entropy", text, choices)
    text = "Fit a temperature on the validation split, and export it with the model."
    define("bool", "calibrate", False, text)


def _define_vit_flags(define):
    sizes = ("tiny", "small", "base")
    define("enum", "size", None, "ViT: a paper's size, for the next four.", sizes)
    define(
        "integer", "hidden_dim", 96, "ViT: features of a token.", **command_line.WIDTH
    )
    text = "ViT: encoder blocks. Sequence: layers, 1 unless given."
    define("integer", "num_layers", 3, text, **command_line.LAYERS)
    text = "ViT, transformer: attention heads."
    define("integer", "num_heads", 4, text, **command_line.LAYERS)
    text = "ViT, transformer: feed-forward width; transformer: else 4 times --units."
    define("integer", "mlp_dim", 192, text, **command_line.WIDTH)
    text = "ViT: side of a patch; else 2, 4, 8 or 16 for images up to 16, 64, 128, ..."
    define("integer", "patch_size", None, text, **command_line.WIDTH)
    text = "What the head reads. ViT: mean (if not given) or token; sequence: last (if "
    text += "not given), mean, max or attention."
    kinds = ("token", *sequence.POOLINGS)
    define("enum", "pooling", None, text, kinds)
    kinds = ("learned", "sinusoidal")
    define("enum", "positions", "learned", "ViT: kind of positions.", kinds)
    kinds = ("patch", "convolution")
    define("enum", "stem", "convolution", "ViT: how pixels become patches.", kinds)
    text = "ViT: dropout of attention weights."
    define("float", "attention_dropout", 0.0, text, **command_line.RATE)
    text = "ViT: rate at which residual branches are dropped."
    define("float", "stochastic_depth", 0.1, text, **command_line.RATE)


def apply_defaults(flags):
    """Gives the flags that were left open the defaults of the architecture."""
    defaults = {"pooling": "mean"} if flags.arch == "vit" else {}
    for name, value in (defaults if flags.arch in ARCHS else sequence.DEFAULTS).items():
        if not flags[name].present:
            flags[name].value = value


def check(flags):
    """Refuses flags that do not go together.

    Raises:
        ValueError: naming the flag.
    """
    command_line.import_keras(flags)
    _check_arch(flags)
    poolings = POOLINGS.get(flags.arch, sequence.POOLINGS)
    if flags.pooling not in poolings:
        raise ValueError(
            f"--pooling is one of {', '.join(poolings)} with --arch={flags.arch}. "
            f"Received: --pooling={flags.pooling}"
        )
    if flags.arch not in ARCHS:
        sequence.check(flags)
    given = [name for name in VIT_SIZES if flags[name].present]
    if flags.size and given:
        raise ValueError(
            f"--size={flags.size} sets --{given[0]}; leave one of the two out."
        )
    if not all(width.isdecimal() and int(width) for width in flags.widths):
        raise ValueError(
            "--widths are channels such as 32,64,96. "
            f"Received: --widths={','.join(flags.widths)}"
        )


def _check_arch(flags):
    """Refuses an unknown architecture, and flags that only others have."""
    known = [*ARCHS, *sequence.archs()]
    if flags.arch not in known:
        raise ValueError(
            f"--arch is one of {', '.join(known)}. Received: --arch={flags.arch}"
        )
    own = {arch: ARCHS.get(arch) or sequence.own_flags(arch) for arch in known}
    foreign = {*VIT_FLAGS, "widths", *sequence.ALL_FLAGS} - own[flags.arch]
    given = [name for name in sorted(foreign) if flags[name].present]
    if given:
        fitting = [arch for arch in known if given[0] in own[arch]]
        raise ValueError(
            f"--{given[0]} has no meaning with --arch={flags.arch}, but with "
            f"{', '.join(fitting)}."
        )


def build(flags, input_shape, num_classes):
    """Builds the model that the flags describe.

    Args:
        flags: Flags with those of `define_flags`, and `seed`.
        input_shape: `(height, width, channels)` of the images.
        num_classes: Number of classes.

    Returns:
        A `keras.Model` from images, 0 to 255, to logits.
    """
    options = {
        "dropout": flags.dropout,
        "include_rescaling": True,
        "seed": flags.seed,
    }
    if flags.arch not in ARCHS:
        return sequence.build(flags, input_shape, num_classes, **options)
    if flags.arch == "cnn":
        widths = [int(width) for width in flags.widths]
        return kerasseq.models.convnet(
            input_shape, num_classes, widths=widths, **options
        )
    options |= {name: flags[name].value for name in VIT_FLAGS}
    options["patch_size"] = patch_size(flags, max(input_shape[:2]))
    return kerasseq.models.vit(input_shape, num_classes, **options)


def compile_model(flags, model, steps_per_epoch):
    """Compiles the model with the loss, the optimizer and its schedule."""
    import keras

    schedule = optimizer_flags.cosine_schedule(flags, flags.epochs * steps_per_epoch)
    model.compile(
        optimizer_flags.make_optimizer(flags, schedule),
        keras.losses.CategoricalCrossentropy(
            from_logits=True,
            label_smoothing=flags.label_smoothing,
            # The rows that fill up a last batch have weight 0.
            reduction="mean_with_sample_weight",
        ),
        weighted_metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.CategoricalCrossentropy(
                from_logits=True, name="cross_entropy"
            ),
        ],
        jit_compile=flags.jit_compile,
    )


def patch_size(flags, side):
    """`--patch_size`, or else one for images with this longer side."""
    fitting = (size for size, largest in PATCH_SIZES if side <= largest)
    return flags.patch_size or next(fitting, LARGE_PATCH)


def heat_maps(flags, model, images):
    """What the decision rests on, by what the model allows.

    Attention rollout of a ViT, Grad-CAM of a CNN, else gradient times input.

    Args:
        flags: Flags with those of `define_flags`.
        model: From `build`.
        images: Array `(num, height, width, channels)`.

    Returns:
        Array `(num, height, width)`, 0 to 1.
    """
    explains = kerasseq.explain
    explain = {"vit": explains.attention_rollout, "cnn": explains.grad_cam}.get(
        flags.arch, explains.gradient_times_input
    )
    return explain(model, images.astype("float32"))
