"""The models of `recipes.forecast`, and how they are trained, as flags."""

import kerasseq
from recipes.forecast import data as forecast_data
from recipes.shared import command_line, optimizer_flags

NORMALIZATIONS = ("none", "last", "standard")
# In the papers they see the values as they are.
UNNORMALIZED = ("linear", "dlinear")


def define_flags(flags):
    """Adds the flags of the model and of its training."""
    define = command_line.definer(flags, "model")
    # No enum: to name the encoders here would import Keras for every use of a file.
    text = (
        "linear, nlinear, dlinear, patch_transformer, seq2seq, or an encoder, as lstm, "
        "gru, bilstm, mamba, cnn or transformer."
    )
    define("string", "arch", "patch_transformer", text)
    width, layers = command_line.WIDTH, command_line.LAYERS
    define("integer", "units", 64, "Size of states, or features.", **width)
    define("integer", "num_layers", 2, "Layers.", **layers)
    define("integer", "num_heads", 4, "Transformers: attention heads.", **layers)
    text = "Transformers: width of the feed-forward layers; else twice --units."
    define("integer", "mlp_dim", None, text, **width)
    define("string", "cell", "gru", "seq2seq: recurrent cell.")
    text = "patch_transformer: rows of a patch."
    define("integer", "patch_length", 16, text, **width)
    text = "patch_transformer: rows from one patch to the next."
    define("integer", "patch_stride", 8, text, **width)
    text = "dlinear: rows of the moving average, odd."
    define("integer", "kernel_size", 25, text, **width)
    define("float", "dropout", 0.1, "Dropout.", **command_line.RATE)
    text = (
        "What is taken out of each history and put back into its forecast: its last "
        "value, or its mean and deviation (standard); else by --arch."
    )
    define("enum", "instance_normalization", None, text, NORMALIZATIONS)
    text = "Quantiles to forecast, 0.5 among them; nothing for one value, by --loss."
    define("list", "quantiles", ["0.1", "0.5", "0.9"], text)
    losses = ("mse", "mae", "huber")
    define("enum", "loss", "mse", "Loss of one value, without --quantiles.", losses)
    optimizer_flags.define_flags(flags, learning_rate=1e-3, patience=5)


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: naming the flag.
    """
    command_line.import_keras(flags)
    kinds = kerasseq.models.forecaster_kinds()
    if flags.arch not in kinds:
        raise ValueError(
            f"--arch is one of {', '.join(kinds)}. Received: --arch={flags.arch}"
        )
    if flags.cell not in kerasseq.layers.CELLS:
        raise ValueError(
            f"--cell is one of {', '.join(kerasseq.layers.CELLS)}. "
            f"Received: --cell={flags.cell}"
        )
    if flags.covariates and flags.arch in forecast_data.OF_ONE_COLUMN:
        raise ValueError(
            f"--arch={flags.arch} forecasts each column on its own and reads no "
            "covariates; leave them out, or take another --arch, as gru. Received: "
            f"--covariates={','.join(flags.covariates)}"
        )
    if flags["loss"].present and flags.quantiles:
        raise ValueError(
            "Quantiles have the pinball loss; leave --loss out, or give no quantiles "
            f"with --quantiles= . Received: --loss={flags.loss}"
        )
    kerasseq.training.PinballLoss(quantiles(flags) or [0.5])
    if flags.quantiles and 0.5 not in quantiles(flags):
        raise ValueError(
            "One of the quantiles is 0.5, the forecast that errors are measured of. "
            f"Received: --quantiles={','.join(flags.quantiles)}"
        )


def quantiles(flags):
    """The quantiles, a list of floats.

    Raises:
        ValueError: if one is no number.
    """
    try:
        return [float(text) for text in flags.quantiles]
    except ValueError as error:
        raise ValueError(
            "--quantiles is a list of numbers, as 0.1,0.5,0.9. "
            f"Received: --quantiles={','.join(flags.quantiles)}"
        ) from error


def build(flags, data):
    """Builds the model of scaled units.

    Args:
        flags: Flags with those of `define_flags`.
        data: The loaded data.

    Returns:
        A model of `kerasseq.models.forecaster`.
    """
    series = data["series"]
    return kerasseq.models.forecaster(
        flags.look_back,
        flags.horizon,
        len(series.columns),
        flags.arch,
        num_targets=series.num_targets,
        num_calendar=kerasseq.data.num_calendar_features(data["periods"]),
        num_quantiles=len(flags.quantiles) or None,
        instance_normalization=_instance_normalization(flags, data),
        units=flags.units,
        num_layers=flags.num_layers,
        dropout=flags.dropout,
        num_heads=flags.num_heads,
        mlp_dim=flags.mlp_dim or 2 * flags.units,
        cell=flags.cell,
        patch_length=flags.patch_length,
        patch_stride=flags.patch_stride,
        kernel_size=flags.kernel_size,
    )


def _instance_normalization(flags, data):
    """As asked for, or by the model; always with one scale for several series."""
    given = flags.instance_normalization
    if given is not None:
        return None if given == "none" else given
    several = len(data["series"].series) > len(data["scaling"].mean)
    return None if flags.arch in UNNORMALIZED and not several else "standard"


def compile_model(flags, model, steps_per_epoch):
    """Compiles the model with the loss, the optimizer and its schedule."""
    import keras

    schedule = optimizer_flags.cosine_schedule(flags, flags.epochs * steps_per_epoch)
    reduction = {"reduction": "mean_with_sample_weight"}
    losses = {
        "mse": keras.losses.MeanSquaredError,
        "mae": keras.losses.MeanAbsoluteError,
        "huber": keras.losses.Huber,
    }
    if flags.quantiles:
        loss = kerasseq.training.PinballLoss(quantiles(flags))
    else:
        loss = losses[flags.loss](**reduction)
    model.compile(
        optimizer_flags.make_optimizer(flags, schedule),
        loss,
        jit_compile=flags.jit_compile,
    )
