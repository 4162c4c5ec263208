"""The models of `recipes.caption`, and how they are trained, as flags."""

import kerasseq
from recipes.shared import cell_flags, command_line, optimizer_flags

VIT_FLAGS = ("patch_size", "hidden_dim", "encoder_layers", "num_heads", "mlp_dim")
# Side of a patch, and the largest image it is the default for.
PATCH_SIZES = ((4, 64), (8, 128))
LARGE_PATCH = 16


def define_flags(flags):
    """Adds the flags of the model and of its training."""
    define = command_line.definer(flags, "model")
    define("enum", "encoder", "cnn", "Image encoder.", ("cnn", "vit"))
    text = "CNN: channels of each stage; the image is halved between them."
    define("list", "widths", ["16", "32", "64"], text)
    _define_vit_flags(define)
    kinds = ("additive", "dot", "general")
    define("enum", "attention", "general", "Score of the attention.", kinds)
    text = "Size of the decoder's states and of the features of a place."
    define("integer", "units", 128, text, **command_line.WIDTH)
    define("integer", "num_layers", 1, "Decoder layers.", **command_line.LAYERS)
    define("integer", "embedding_dim", 64, "Of the words.", **command_line.WIDTH)
    text = "Residual connections from the second decoder layer on."
    define("bool", "residual", True, text)
    define("bool", "input_feeding", True, "Feed the decoder its last output.")
    define("bool", "tie_embeddings", True, "One matrix for input and output.")
    text = "Dropout; 0.3 for photographs."
    define("float", "dropout", 0.05, text, **command_line.RATE)
    text = "Label smoothing; 0.1 for photographs."
    define("float", "label_smoothing", 0.0, text, **command_line.RATE)
    optimizer_flags.define_flags(
        flags, learning_rate=3e-3, warmup_steps=200, weight_decay=0.01, patience=5
    )
    cell_flags.define_flags(flags, "gru")
    define = command_line.definer(flags, "export")
    define(
        "integer", "beam_size", 4, "Hypotheses of beam search.", **command_line.LAYERS
    )
    define("float", "length_penalty", 0.6, "Exponent of Wu et al. (2016).")


def _define_vit_flags(define):
    text = "ViT: side of a patch; else 4, 8 or 16 for images up to 64, 128, ..."
    define("integer", "patch_size", None, text, **command_line.WIDTH)
    text = "ViT: features of a patch."
    define("integer", "hidden_dim", 96, text, **command_line.WIDTH)
    define("integer", "encoder_layers", 3, "ViT: blocks.", **command_line.LAYERS)
    define("integer", "num_heads", 4, "ViT: attention heads.", **command_line.LAYERS)
    define("integer", "mlp_dim", 192, "ViT: feed-forward width.", **command_line.WIDTH)


def check(flags):
    """Refuses flags that do not go together.

    Raises:
        ValueError: naming the flag.
    """
    foreign = VIT_FLAGS if flags.encoder == "cnn" else ("widths",)
    given = [name for name in foreign if flags[name].present]
    if given:
        other = "vit" if flags.encoder == "cnn" else "cnn"
        raise ValueError(
            f"--{given[0]} has no meaning with --encoder={flags.encoder}, but with "
            f"{other}."
        )
    if not flags.widths or not all(x.isdecimal() and int(x) for x in flags.widths):
        raise ValueError(
            "--widths are channels such as 32,64,96. "
            f"Received: --widths={','.join(flags.widths)}"
        )
    cell_flags.check(flags)


def build(flags, input_shape, vocabulary_size):
    """Builds the model that the flags describe.

    Args:
        flags: Flags with those of `define_flags`, and `seed`.
        input_shape: `(height, width, channels)` of the images.
        vocabulary_size: Number of words.

    Returns:
        A model of `kerasseq.models.captioner`.
    """
    names = ("encoder", "embedding_dim", "units", "num_layers", "cell", "attention")
    names += ("input_feeding", "residual", "dropout", "tie_embeddings", "seed")
    return kerasseq.models.captioner(
        input_shape,
        vocabulary_size,
        encoder_options=_encoder_options(flags, input_shape),
        include_rescaling=True,
        **{name: flags[name].value for name in names},
        **cell_flags.options(flags),
    )


def _encoder_options(flags, input_shape):
    if flags.encoder == "cnn":
        return {"widths": [int(width) for width in flags.widths]}
    return {
        "patch_size": patch_size(flags, max(input_shape[:2])),
        "num_layers": flags.encoder_layers,
        "stem": "convolution",
        "dropout": flags.dropout,
        **{name: flags[name].value for name in ("hidden_dim", "num_heads", "mlp_dim")},
    }


def patch_size(flags, side):
    """`--patch_size`, or else one for images with this longer side."""
    fitting = (size for size, largest in PATCH_SIZES if side <= largest)
    return flags.patch_size or next(fitting, LARGE_PATCH)


def compile_model(flags, model, steps_per_epoch):
    """Compiles the model with the loss, the optimizer and its schedule."""
    schedule = optimizer_flags.cosine_schedule(flags, flags.epochs * steps_per_epoch)
    model.compile(
        optimizer_flags.make_optimizer(flags, schedule),
        kerasseq.training.SmoothedCrossEntropy(flags.label_smoothing),
        weighted_metrics=kerasseq.training.token_metrics(),
        jit_compile=flags.jit_compile,
    )
