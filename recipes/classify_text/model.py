"""The models of `recipes.classify_text`, and how they are trained, as flags."""

import kerasseq
from recipes.shared import command_line, optimizer_flags

TRANSFORMER_FLAGS = ("num_heads", "mlp_dim")


def define_flags(flags):
    """Adds the flags of the model and of its training."""
    define = command_line.definer(flags, "model")
    # No enum: to name the cells here would import Keras for every use of a file.
    text = "Encoder: a recurrent cell, as gru or lstm, with bi before it (bilstm) for "
    text += "both directions; a block, as mamba; cnn (Kim 2014), transformer, or mlp."
    define("string", "arch", "gru", text)
    kinds = ("last", "mean", "max", "attention")
    define("enum", "pooling", "last", "What the output layer reads.", kinds)
    width = command_line.WIDTH
    define("integer", "embedding_dim", 64, "Size of the embeddings.", **width)
    text = "Features of the encoder, of each direction."
    define("integer", "units", 64, text, **width)
    define("integer", "num_layers", 1, "Layers.", **command_line.LAYERS)
    text = "Transformer: attention heads."
    define("integer", "num_heads", 4, text, **command_line.LAYERS)
    text = "Transformer: width of the feed-forward layers; else four times --units."
    define("integer", "mlp_dim", None, text, **width)
    define("float", "dropout", 0.2, "Dropout; 0.5 for few texts.", **command_line.RATE)
    define("float", "label_smoothing", 0.0, "Label smoothing.", **command_line.RATE)
    optimizer_flags.define_flags(flags, learning_rate=3e-3, patience=5)
    text = "What selects the epoch, on the validation split."
    choices = ("cross_entropy", "accuracy")
    define("enum", "monitor", "cross_entropy", text, choices)
    text = "Fit a temperature on the validation split, and export it with the model."
    define("bool", "calibrate", True, text)


def check(flags):
    """Refuses an unknown encoder, and flags of another one.

    Raises:
        ValueError: naming the flag.
    """
    command_line.import_keras(flags)
    kinds = kerasseq.models.encoder_kinds()
    if flags.arch not in kinds:
        raise ValueError(
            f"--arch is one of {', '.join(kinds)}. Received: --arch={flags.arch}"
        )
    given = [name for name in TRANSFORMER_FLAGS if flags[name].present]
    if given and flags.arch != "transformer":
        raise ValueError(
            f"--{given[0]} has no meaning with --arch={flags.arch}, but with "
            "transformer."
        )


def build(flags, vocabulary_size, num_classes):
    """Builds the model that the flags describe.

    Args:
        flags: Flags with those of `define_flags`.
        vocabulary_size: Number of words, padding and unknown included.
        num_classes: Number of classes.

    Returns:
        A model of `kerasseq.models.text_classifier`.
    """
    names = ("arch", "pooling", "embedding_dim", "units", "num_layers", "dropout")
    if flags.arch == "transformer":
        names += TRANSFORMER_FLAGS
    options = {name: flags[name].value for name in names}
    return kerasseq.models.text_classifier(vocabulary_size, num_classes, **options)


def compile_model(flags, model, steps_per_epoch):
    """Compiles the model with the loss, the optimizer and its schedule."""
    import keras

    schedule = optimizer_flags.cosine_schedule(flags, flags.epochs * steps_per_epoch)
    model.compile(
        optimizer_flags.make_optimizer(flags, schedule),
        keras.losses.CategoricalCrossentropy(
            from_logits=True,
            label_smoothing=flags.label_smoothing,
            # The rows that fill up a batch have weight 0.
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
