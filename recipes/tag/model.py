"""The models of `recipes.tag`, and how they are trained, as flags."""

import kerasseq
from recipes.shared import command_line, optimizer_flags
from recipes.tag import data as tag_data

PER_WORD = "mlp"


def define_flags(flags):
    """Adds the flags of the model and of its training."""
    define = command_line.definer(flags, "model")
    # No enum: to name the cells here would import Keras for every use of a file.
    text = "What reads a sentence: mlp (each word alone), a cell such as lstm or gru, "
    text += "bi and a cell, such as bilstm, a block as mamba, cnn or transformer."
    define("string", "arch", "bilstm", text)
    define("bool", "crf", False, "Score neighboring tags together, by a CRF.")
    width, layers = command_line.WIDTH, command_line.LAYERS
    define("integer", "embedding_dim", 64, "Features of a word.", **width)
    define("integer", "character_dim", 32, "Features of a character.", **width)
    text = "Features of a word that its characters give."
    define("integer", "character_filters", 48, text, **width)
    define("integer", "units", 64, "Size of the encoder, per direction.", **width)
    define("integer", "num_layers", 1, "Layers of the encoder.", **layers)
    define("integer", "num_heads", 4, "Transformer: attention heads.", **layers)
    define("float", "dropout", 0.3, "Dropout.", **command_line.RATE)
    define("float", "label_smoothing", 0.0, "Label smoothing.", **command_line.RATE)
    text = "Train a network that sees each word on its own too, to compare."
    define("bool", "per_word", True, text)
    optimizer_flags.define_flags(flags, learning_rate=4e-3, patience=3)


def check(flags):
    """Refuses an unknown kind of model, before any work is done.

    Raises:
        ValueError: naming all kinds.
    """
    command_line.import_keras(flags)
    kinds = kerasseq.models.encoder_kinds()
    if flags.arch not in kinds:
        raise ValueError(
            f"--arch is one of {', '.join(kinds)}. Received: --arch={flags.arch}"
        )
    if flags.crf and flags.label_smoothing:
        raise ValueError(
            "--label_smoothing is for the cross entropy of each word, and a CRF has "
            "one of whole sentences: leave one of them out. Received: --crf "
            f"--label_smoothing={flags.label_smoothing}"
        )
    if not {*flags.word_features} <= {*tag_data.KINDS}:
        raise ValueError(
            f"--word_features is a list out of {','.join(tag_data.KINDS)}, or nothing. "
            f"Received: --word_features={','.join(flags.word_features)}"
        )


def build(flags, features, arch):
    """Builds the model.

    Args:
        flags: Flags with those of `define_flags`.
        features: A `kerasseq.data.WordFeatures`.
        arch: As `--arch`.

    Returns:
        A model of `kerasseq.models.tagger`.
    """
    sizes = features.sizes()
    options = {"num_heads": flags.num_heads} if arch == "transformer" else {}
    return kerasseq.models.tagger(
        sizes["words"],
        len(features.tags),
        num_characters=sizes.get("characters"),
        num_suffixes=sizes.get("suffixes"),
        arch=arch,
        embedding_dim=flags.embedding_dim,
        character_dim=flags.character_dim,
        character_filters=flags.character_filters,
        units=flags.units,
        num_layers=flags.num_layers,
        dropout=flags.dropout,
        crf=flags.crf and arch != PER_WORD,
        **options,
    )


def compile_model(flags, model, steps_per_epoch):
    """Compiles a model with its loss, the optimizer and its schedule."""
    steps = flags.epochs * steps_per_epoch
    loss = kerasseq.training.SmoothedCrossEntropy(flags.label_smoothing)
    metrics = kerasseq.training.token_metrics()
    if len(model.output_shape) == 4:  # of a CRF
        loss = kerasseq.training.CRFLoss()
        metrics = [kerasseq.training.CRFAccuracy()]
    schedule = optimizer_flags.cosine_schedule(flags, steps)
    model.compile(
        optimizer_flags.make_optimizer(flags, schedule),
        loss,
        weighted_metrics=metrics,
        jit_compile=flags.jit_compile,
    )


def fit_per_word(flags, data):
    """Trains the network that sees each word on its own, as long as the other."""
    model = build(flags, data["features"], PER_WORD)
    compile_model(flags, model, len(data["train"]))
    data["train"].epoch = 0
    model.fit(data["train"], epochs=flags.epochs, shuffle=False, verbose=0)
    return model
