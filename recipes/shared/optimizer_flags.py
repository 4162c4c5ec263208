"""Remedies for vanishing and exploding gradients, as flags of the recipes.

Clipping, weight decay and how recurrent weights start. `benchmarks/gradient_flow.py`
shows what the starts do to the gradient over 200 steps.
"""

from absl import flags as absl_flags

CLIPPINGS = {  # flag: argument of a Keras optimizer
    "clip_value": "clipvalue",
    "clip_norm": "clipnorm",
    "clip_global_norm": "global_clipnorm",
}
KERNEL_INITIALIZERS = (
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "orthogonal",
)
RECURRENT_INITIALIZERS = (*KERNEL_INITIALIZERS, "identity")
# Biases, and the gains of norms: decay would only push them from their purpose.
UNDECAYED = ("bias", "gain", "gamma", "beta", "scale")


def define_optimizer_flags(flags, clip_global_norm=0.0):
    """Adds the flags that `make_optimizer` reads.

    Args:
        flags: The `absl.flags.FlagValues` of the recipe.
        clip_global_norm: Default of `--clip_global_norm`; 0 for none.
    """

    def define(name, default, text):
        absl_flags.DEFINE_float(name, default, text, lower_bound=0, flag_values=flags)

    define("clip_value", 0.0, "Clip every entry of the gradients to this; 0: no.")
    define("clip_norm", 0.0, "Clip each variable's gradient to this norm; 0: no.")
    define(
        "clip_global_norm",
        clip_global_norm,
        "Clip all gradients together to this norm; 0: no.",
    )
    define("weight_decay", 0.0, "Decoupled, as in AdamW; biases and norms are spared.")


def define_cell_flags(flags):
    """Adds the flags that `cell_options` reads, for recipes with recurrent cells."""
    absl_flags.DEFINE_enum(
        "kernel_initializer",
        "glorot_uniform",
        KERNEL_INITIALIZERS,
        "How the input weights of the cells start.",
        flag_values=flags,
    )
    absl_flags.DEFINE_enum(
        "recurrent_initializer",
        "orthogonal",
        RECURRENT_INITIALIZERS,
        "How the state weights of the cells start; identity for simple_rnn only.",
        flag_values=flags,
    )
    absl_flags.DEFINE_bool(
        "forget_bias", True, "Forget gates of an LSTM start at 1.", flag_values=flags
    )


def make_optimizer(flags, learning_rate, **options):
    """Adam with the clipping and the weight decay that were asked for.

    Args:
        flags: Flags with those of `define_optimizer_flags`.
        learning_rate: A number or a schedule; it scales the weight decay too.
        **options: Others of `keras.optimizers.Adam`.

    Returns:
        A `keras.optimizers.Adam`.

    Raises:
        ValueError: if several kinds of clipping are asked for.
    """
    import keras

    clipping = _clipping(flags)
    optimizer = keras.optimizers.Adam(
        learning_rate,
        weight_decay=flags.weight_decay or None,
        **{CLIPPINGS[name]: value for name, value in clipping.items()},
        **options,
    )
    optimizer.exclude_from_weight_decay(var_names=UNDECAYED)
    return optimizer


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: as `make_optimizer` and `cell_options` do.
    """
    _clipping(flags)
    if "recurrent_initializer" in flags:
        cell_options(flags)


def _clipping(flags):
    """The one kind of clipping that is on, `{flag: value}`, or `{}`."""
    clipping = {name: flags[name].value for name in CLIPPINGS if flags[name].value}
    if len(clipping) > 1:
        given = " ".join(f"--{name}={value}" for name, value in clipping.items())
        off = " ".join(f"--{name}=0" for name in [*clipping][1:])
        raise ValueError(
            f"Only one kind of clipping can be on. Received: {given} (defaults "
            f"included). Turn the others off, say with {off}"
        )
    return clipping


def cell_options(flags):
    """How cells start, as arguments of models and layers.

    Args:
        flags: Flags with those of `define_cell_flags`, and `cell`.

    Returns:
        A dict: `kernel_initializer`, `recurrent_initializer`, `unit_forget_bias`.

    Raises:
        ValueError: if gates are to start as the identity.
    """
    if flags.recurrent_initializer == "identity" and flags.cell != "simple_rnn":
        # Keras would fill the first gate's block and leave the others zero.
        raise ValueError(
            "--recurrent_initializer=identity needs a square matrix, that of "
            f"--cell=simple_rnn. Received: --cell={flags.cell}. Use orthogonal."
        )
    return {
        "kernel_initializer": flags.kernel_initializer,
        "recurrent_initializer": flags.recurrent_initializer,
        "unit_forget_bias": flags.forget_bias,
    }
