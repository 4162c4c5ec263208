"""The optimizer of a recipe as flags: schedule, clipping, weight decay, averaging."""

from recipes.shared import command_line

CLIPPINGS = {  # flag: argument of a Keras optimizer
    "clip_value": "clipvalue",
    "clip_norm": "clipnorm",
    "clip_global_norm": "global_clipnorm",
}
# Biases, and the gains of norms: decay would only push them from their purpose. So it
# would the time scales of a state-space model, and the weight of its skip connection.
UNDECAYED = ("bias", "gain", "gamma", "beta", "scale")
UNDECAYED += ("a_log", "frequency", "delta_log", "skip")
FINAL_RATE = 0.02  # of the peak


def define_flags(
    flags,
    *,
    learning_rate,
    patience,
    warmup_steps=100,
    weight_decay=0.0,
    clip_global_norm=1.0,
    ema=0.0,
):
    """Adds the flags that this module reads, and `--patience`.

    Args:
        flags: The `absl.flags.FlagValues` of the recipe.
        learning_rate: Default of the peak.
        patience: Default of `--patience`.
        warmup_steps: Default of `--warmup_steps`.
        weight_decay: Default of `--weight_decay`.
        clip_global_norm: Default of `--clip_global_norm`; 0 for none.
        ema: Default of `--ema`; 0 for none.
    """
    define = command_line.definer(flags, "training")
    zero = {"lower_bound": 0}
    count = command_line.COUNT | zero
    define("float", "learning_rate", learning_rate, "Peak learning rate.", **zero)
    text = "Steps until the peak, at most half of all."
    define("integer", "warmup_steps", warmup_steps, text, **count)
    text = "Decoupled weight decay, as in AdamW; biases and norms are spared."
    define("float", "weight_decay", weight_decay, text, **zero)
    text = "Clip every entry of the gradients to this; 0: no."
    define("float", "clip_value", 0.0, text, **zero)
    text = "Clip each variable's gradient to this norm; 0: no."
    define("float", "clip_norm", 0.0, text, **zero)
    text = "Clip all gradients together to this norm; 0: no."
    define("float", "clip_global_norm", clip_global_norm, text, **zero)
    text = "Momentum of a moving average of the weights, which is then used; 0: no."
    define("float", "ema", ema, text, lower_bound=0.0, upper_bound=0.99999)
    text = "Epochs without a better validation score after which training stops."
    define("integer", "patience", patience, text, **count)


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: if several kinds of clipping are asked for.
    """
    _clipping(flags)


def cosine_schedule(flags, steps):
    """A learning rate that warms up, then falls to 2 % of its peak along a cosine.

    Args:
        flags: Flags with those of `define_flags`. The warmup takes at most half of
            all steps.
        steps: Steps of the whole run.

    Returns:
        A `keras.optimizers.schedules.CosineDecay`.
    """
    import keras

    warmup = min(flags.warmup_steps, steps // 2)
    return keras.optimizers.schedules.CosineDecay(
        flags.learning_rate / max(warmup, 1),
        decay_steps=steps - warmup,
        alpha=FINAL_RATE,
        warmup_target=flags.learning_rate,
        warmup_steps=warmup,
    )


def bound_warmup(flags, steps_per_epoch):
    """Bounds `--warmup_steps` by half the steps of the run, and says so."""
    most = max(flags.epochs * steps_per_epoch // 2, 1)
    if flags.warmup_steps > most:
        print(f"warm-up: {most} steps, half of all, not {flags.warmup_steps}")
        flags.warmup_steps = most


def make_optimizer(flags, learning_rate, **options):
    """Adam with the clipping, weight decay and averaging that were asked for.

    Args:
        flags: Flags with those of `define_flags`.
        learning_rate: A number or a schedule; it scales the weight decay too.
        **options: Others of `keras.optimizers.Adam`.

    Returns:
        A `keras.optimizers.Adam`.

    Raises:
        ValueError: if several kinds of clipping are asked for.
    """
    import keras

    clipping = _clipping(flags)
    if flags.ema:
        options |= {"use_ema": True, "ema_momentum": flags.ema}
    optimizer = keras.optimizers.Adam(
        learning_rate,
        weight_decay=flags.weight_decay or None,
        **{CLIPPINGS[name]: value for name, value in clipping.items()},
        **options,
    )
    optimizer.exclude_from_weight_decay(var_names=[*map(_last_part, UNDECAYED)])
    return optimizer


def _last_part(name):
    """A pattern for weights of this name, or whose name ends with it after a "_".

    Keras searches for it in "kernel" on JAX, but on TensorFlow in "skip/kernel:0".
    """
    return rf"(^|[/_]){name}(:\d+)?$"


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
