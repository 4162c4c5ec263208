"""The models of `recipes.translate`, and how they are trained, as flags."""

import kerasseq
from recipes.shared import cell_flags, command_line, optimizer_flags

ARCHITECTURES = ("rnn", "transformer")
# What is good for one architecture is not for the other: their own defaults.
DEFAULTS = {
    "rnn": {"num_layers": 1, "schedule": "cosine"},
    "transformer": {"num_layers": 3, "schedule": "inverse_square_root"},
}
# So much is enough for the embedded phrases, which are regular.
EMBEDDED = {"rnn": {"epochs": 5, "learning_rate": 3e-3}, "transformer": {}}


def define_flags(flags):
    """Adds the flags of the model and of its training."""
    define = command_line.definer(flags, "model")
    define("enum", "arch", "rnn", "Model.", ARCHITECTURES)
    text = "Layers of encoder and decoder; 1, Transformer: 3."
    define("integer", "num_layers", None, text, **command_line.LAYERS)
    # The embedded phrases are regular and plenty; prose wants 0.3 and 0.1.
    text = "Dropout; 0.3 for some 30,000 sentences."
    define("float", "dropout", 0.05, text, **command_line.RATE)
    text = "One matrix for source, target and output, if they have one vocabulary."
    define("bool", "tie_embeddings", True, text)
    _define_recurrent_flags(define)
    _define_transformer_flags(define)
    text = "Label smoothing; 0.1 for prose."
    define("float", "label_smoothing", 0.0, text, **command_line.RATE)
    text = "How it falls after the peak; RNN: cosine, Transformer: inverse_square_root."
    define("enum", "schedule", None, text, ("cosine", "inverse_square_root"))
    text = "Use the mean of the weights after so many epochs; 0: no."
    define("integer", "average_checkpoints", 0, text, lower_bound=0, upper_bound=100)
    text = "Batches whose gradients are accumulated for one step."
    define("integer", "accumulate", 1, text, **command_line.COUNT)
    optimizer_flags.define_flags(
        flags, learning_rate=2e-3, warmup_steps=200, patience=5
    )
    cell_flags.define_flags(flags, "gru")
    define = command_line.definer(flags, "export")
    define(
        "integer", "beam_size", 4, "Hypotheses of beam search.", **command_line.LAYERS
    )
    define("float", "length_penalty", 0.6, "Exponent of Wu et al. (2016).")


def _define_recurrent_flags(define):
    kinds = ("additive", "dot", "general")
    define("enum", "attention", "general", "RNN: score of the attention.", kinds)
    define("integer", "units", 192, "RNN: size of the states.", **command_line.WIDTH)
    text = "RNN: size of the embeddings."
    define("integer", "embedding_dim", 128, text, **command_line.WIDTH)
    text = "RNN: residual connections from the second layer on."
    define("bool", "residual", True, text)
    define("bool", "input_feeding", True, "RNN: feed the decoder its last output.")


def _define_transformer_flags(define):
    text = "Transformer: features of a token."
    define("integer", "hidden_dim", 128, text, **command_line.WIDTH)
    text = "Transformer: width of the feed-forward layers."
    define("integer", "mlp_dim", 256, text, **command_line.WIDTH)
    define(
        "integer",
        "num_heads",
        4,
        "Transformer: attention heads.",
        **command_line.LAYERS,
    )
    text = "Transformer: heads of keys and values; else as --num_heads."
    define("integer", "num_key_value_heads", None, text, **command_line.LAYERS)
    kinds = ("sinusoidal", "learned", "rotary", "alibi")
    define("enum", "positions", "sinusoidal", "Transformer: positions.", kinds)
    define("enum", "norm", "layer", "Transformer: normalization.", ("layer", "rms"))
    text = "Transformer: normalization before each sublayer, not after."
    define("bool", "norm_first", True, text)
    kinds = ("relu", "gelu", "swiglu")
    define("enum", "activation", "relu", "Transformer: feed-forward.", kinds)
    text = "Transformer: dropout of attention weights."
    define("float", "attention_dropout", 0.0, text, **command_line.RATE)
    text = "Transformer: dropout inside the feed-forward layers."
    define("float", "activation_dropout", 0.0, text, **command_line.RATE)


def apply_defaults(flags):
    """Gives the flags that were left open the defaults of architecture and data."""
    defaults = dict(DEFAULTS[flags.arch])
    if flags.data == "synthetic":
        defaults |= EMBEDDED[flags.arch]
    if "," in flags.tokenizer:  # two vocabularies
        defaults["tie_embeddings"] = False
    for name, value in defaults.items():
        if flags[name].using_default_value:
            flags[name].value = value


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: naming the flag.
    """
    if flags.arch == "rnn":
        cell_flags.check(flags)
    if flags.tie_embeddings and "," in flags.tokenizer:
        raise ValueError(
            "Source and target can share one matrix if they share one vocabulary; "
            "leave --tie_embeddings out, or name one tokenizer. Received: "
            f"--tie_embeddings --tokenizer={flags.tokenizer}"
        )


def free_flags(flags):
    """The flags of `training_run.fingerprint` that a resumed run may change."""
    # A cosine falls towards the last epoch. Without one, a run may stop or go on.
    return ("epochs",) if flags.schedule == "inverse_square_root" else ()


def build(flags, vocabularies, lengths):
    """Builds the model.

    Args:
        flags: The flags, after `apply_defaults`.
        vocabularies: Those of source and target, which may be one.
        lengths: The longest source and target.

    Returns:
        A model of `kerasseq.models.seq2seq` or `transformer`.
    """
    shared = ("num_layers", "dropout", "tie_embeddings")
    if flags.arch == "rnn":
        names = ("embedding_dim", "units", "cell", "attention", "input_feeding")
        make, names = kerasseq.models.seq2seq, (*names, "residual")
        more = cell_flags.options(flags)
    else:
        names = ("hidden_dim", "mlp_dim", "num_heads", "num_key_value_heads", "norm")
        names += ("positions", "norm_first", "activation", "attention_dropout")
        make, names = kerasseq.models.transformer, (*names, "activation_dropout")
        more = {"max_length": max(lengths)}
    options = {name: flags[name].value for name in (*shared, *names)}
    return make(*map(len, vocabularies), **options, **more)


def compile_model(flags, model, steps_per_epoch):
    """Compiles the model with the loss, the optimizer and its schedule."""
    optimizer = _optimizer(flags, flags.epochs * steps_per_epoch)
    model.compile(
        optimizer,
        kerasseq.training.SmoothedCrossEntropy(flags.label_smoothing),
        weighted_metrics=kerasseq.training.token_metrics(),
        jit_compile=flags.jit_compile,
    )


def _optimizer(flags, num_batches):
    options = {}
    if flags.arch == "transformer":
        options = {"beta_2": 0.98, "epsilon": 1e-9}  # Vaswani et al., section 5.3
    if flags.accumulate > 1:
        options["gradient_accumulation_steps"] = flags.accumulate
    if flags.schedule == "cosine":
        steps = num_batches // flags.accumulate
        schedule = optimizer_flags.cosine_schedule(flags, steps)
    else:
        schedule = kerasseq.training.InverseSquareRoot(
            flags.learning_rate, max(flags.warmup_steps, 1)
        )
    return optimizer_flags.make_optimizer(flags, schedule, **options)
