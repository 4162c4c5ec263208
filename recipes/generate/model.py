"""The models of `recipes.generate`, and how they are trained, as flags."""

import kerasseq
from recipes.shared import command_line, optimizer_flags


def define_flags(flags):
    """Adds the flags of the model and of its training."""
    define = command_line.definer(flags, "model")
    # No enum: to name the cells here would import Keras for every use of a file.
    text = "Transformer, a recurrent cell, as lstm or gru, or a block, as mamba."
    define("string", "arch", "transformer", text)
    text = "Size of states, or features of a token."
    define("integer", "units", 128, text, **command_line.WIDTH)
    define("integer", "num_layers", 3, "Layers.", **command_line.LAYERS)
    define(
        "integer",
        "num_heads",
        4,
        "Transformer: attention heads.",
        **command_line.LAYERS,
    )
    text = "Transformer: width of the feed-forward layers."
    define("integer", "mlp_dim", None, text, **command_line.WIDTH)
    text = "Transformer: tokens that it attends to."
    define("integer", "window", 128, text, **command_line.WIDTH)
    kinds = ("rotary", "alibi")
    define("enum", "positions", "rotary", "Transformer: positions.", kinds)
    define("float", "dropout", 0.1, "Dropout.", **command_line.RATE)
    optimizer_flags.define_flags(flags, learning_rate=3e-3, patience=4)


def check(flags):
    """Refuses an unknown kind of model, before any work is done.

    Raises:
        ValueError: naming all kinds.
    """
    command_line.import_keras(flags)
    kinds = ["transformer", *kerasseq.layers.CELLS, *kerasseq.layers.BLOCKS]
    if flags.arch not in kinds:
        raise ValueError(
            f"--arch is one of {', '.join(kinds)}. Received: --arch={flags.arch}"
        )
    if flags.arch == "s4d":
        reason = "S4D's matrices for several steps would be constants of the file"
        command_line.bound_default(flags, "prefill_length", 0, reason)


def build(flags, vocabulary_size):
    """Builds the step model.

    Args:
        flags: Flags with those of `define_flags`.
        vocabulary_size: Number of characters or subwords.

    Returns:
        A model of `kerasseq.models.language_model`.
    """
    options = {"cell": flags.arch, "num_layers": flags.num_layers}
    if flags.arch == "transformer":
        body = kerasseq.layers.WindowTransformer(
            flags.num_layers,
            num_heads=flags.num_heads,
            mlp_dim=flags.mlp_dim or 4 * flags.units,
            window=flags.window,
            positions=flags.positions,
            activation="gelu",
            dropout=flags.dropout,
        )
        options = {"body": body}
    return kerasseq.models.language_model(
        vocabulary_size,
        embedding_dim=flags.units,
        dropout=flags.dropout,
        **options,
    )


def compile_model(flags, trainer, steps_per_epoch):
    """Compiles the trainer with the loss, the optimizer and its schedule."""
    schedule = optimizer_flags.cosine_schedule(flags, flags.epochs * steps_per_epoch)
    trainer.compile(
        optimizer_flags.make_optimizer(flags, schedule),
        kerasseq.training.SmoothedCrossEntropy(0.0),
        weighted_metrics=kerasseq.training.token_metrics(),
        jit_compile=flags.jit_compile,
    )
