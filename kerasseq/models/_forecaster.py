"""Forecaster of several series of numbers, all steps at once, on any encoder."""

import keras
from keras import ops

from kerasseq.models import _forecast_bodies, _slices

NORMALIZATIONS = (None, "last", "standard")
EPSILON = 1e-5  # of the variance, as in RevIN


def forecaster(
    look_back,
    horizon,
    num_columns,
    arch="dlinear",
    *,
    num_targets=None,
    num_calendar=0,
    num_quantiles=None,
    instance_normalization=None,
    units=64,
    num_layers=1,
    dropout=0.0,
    num_heads=4,
    mlp_dim=None,
    cell="gru",
    patch_length=16,
    patch_stride=8,
    kernel_size=25,
    seed=None,
    name="forecaster",
):
    """Builds a model that reads the last steps of series and returns the next ones.

    All steps of the horizon come at once ("direct"), so that no error is fed back.
    `"linear"`, `"nlinear"`, `"dlinear"` and `"patch_transformer"` forecast each column
    from its own past with weights that all columns share; the others read all columns
    together. `"seq2seq"` has a decoder for the horizon. Features of the calendar are
    known for the future too: models that read all columns together also read those of
    the history, and in every model those of a future step add a value to it.

    Args:
        look_back: Steps of the history.
        horizon: Steps of the forecast.
        num_columns: Columns of the history, targets first, then covariates.
        arch: `"linear"`; `"nlinear"`, which subtracts the last value first and adds it
            again; `"dlinear"`, a moving average and the rest, each with a linear map
            (Zeng et al., 2023); `"patch_transformer"` (Nie et al., 2023); `"seq2seq"`;
            or a kind of encoder, as `"lstm"`, `"bigru"`, `"cnn"` or `"transformer"`.
            Of a cell that reads forward, the head reads the last position; of others
            the mean of all positions too.
        num_targets: Columns that are forecast. All by default.
        num_calendar: Features of the calendar; 0 for a model without.
        num_quantiles: `None` for one value; or how many quantiles there are of each
            value, in ascending order, which they keep.
        instance_normalization: What is subtracted from each column of a history, and
            added to its forecast: `"last"`, its last value; `"standard"`, its mean,
            and it is divided by its standard deviation (Kim et al., 2022, without
            weights); `None` for nothing.
        units: Size of states, or features of a position.
        num_layers: Number of layers.
        dropout: Float between 0 and 1. Fraction to drop.
        num_heads: Attention heads of transformers; divides `units`.
        mlp_dim: Width of their feed-forward layers. Four times `units` by default.
        cell: Recurrent cell of a `"seq2seq"`, see `kerasseq.layers.CELLS`.
        patch_length: Steps of a patch of a `"patch_transformer"`.
        patch_stride: Steps from one patch to the next; divides `patch_length`.
        kernel_size: Steps of the moving average of a `"dlinear"`, odd.
        seed: Random seed of the initial weights and of dropout.
        name: Name of the model.

    Returns:
        A functional `keras.Model`. Inputs: a dict of `history` `(batch_size, look_back,
        num_columns)` and, with `num_calendar`, `calendar` `(batch_size, look_back +
        horizon, num_calendar)`. Output: `(batch_size, horizon, num_targets)`, or with
        `num_quantiles` one axis more.

    Raises:
        ValueError: for an unknown kind, sizes that are not positive or do not fit, or
            covariates with a kind that reads each column on its own.

    Example:
        >>> model = kerasseq.models.forecaster(96, 24, 7, "gru", num_targets=2)
        >>> model({"history": np.zeros((1, 96, 7))}).shape
        (1, 24, 2)

    Reference:
        Zeng et al. (2023), Are Transformers Effective for Time Series Forecasting?;
        Nie et al. (2023), A Time Series is Worth 64 Words; Kim et al. (2022),
        Reversible Instance Normalization.
    """
    num_targets = num_columns if num_targets is None else num_targets
    _check(look_back, horizon, num_columns, num_targets, num_calendar, num_quantiles)
    if instance_normalization not in NORMALIZATIONS:
        raise ValueError(
            f"`instance_normalization` must be one of {NORMALIZATIONS}. Received: "
            f"instance_normalization={instance_normalization!r}"
        )
    build = _forecast_bodies.find(arch)
    if num_targets < num_columns and arch in _forecast_bodies.OF_ONE_COLUMN:
        raise ValueError(
            f"arch='{arch}' forecasts each column on its own and reads no covariates; "
            "leave them out, or take another `arch`, such as 'gru'. Received: "
            f"num_columns={num_columns}, num_targets={num_targets}"
        )
    if seed is not None:
        keras.utils.set_random_seed(seed)
    inputs = {"history": keras.Input((look_back, num_columns), name="history")}
    if num_calendar:
        shape = (look_back + horizon, num_calendar)
        inputs["calendar"] = keras.Input(shape, name="calendar")
    kind = "last" if arch == "nlinear" else instance_normalization
    x, center, scale = _normalized(inputs["history"], kind)
    shape = (horizon, num_targets, num_quantiles or 1)
    y = build(
        x,
        inputs.get("calendar"),
        shape,
        units=units,
        num_layers=num_layers,
        dropout=dropout,
        num_heads=num_heads,
        mlp_dim=mlp_dim,
        cell=cell,
        patch_length=patch_length,
        patch_stride=patch_stride,
        kernel_size=kernel_size,
    )
    if num_calendar:
        future = _slices.between(inputs["calendar"], look_back)
        y = y + _forecast_bodies.calendar_effect(future, shape, units)
    if num_quantiles:
        y = _forecast_bodies.ascending(y)
    y = _restored(y, center, scale, num_targets)
    if not num_quantiles:
        y = ops.squeeze(y, -1)
    return keras.Model(inputs, y, name=name)


def _normalized(x, kind):
    """The history, and what restores a forecast: center and scale, or `None`."""
    if kind is None:
        return x, None, None
    centered = keras.layers.Subtract(name="centered")
    if kind == "last":
        center = _slices.between(x, -1)
        return centered([x, center]), center, None
    center = ops.mean(x, axis=1, keepdims=True)
    x = centered([x, center])
    scale = ops.sqrt(ops.mean(ops.square(x), axis=1, keepdims=True) + EPSILON)
    return x / scale, center, scale


def _restored(y, center, scale, num_targets):
    """Undoes `_normalized`; `y` is `(batch_size, horizon, num_targets, quantiles)`."""
    if scale is not None:
        y = y * ops.expand_dims(_slices.between(scale, 0, num_targets, axis=-1), -1)
    if center is not None:
        # In this order: on TensorFlow Keras takes a right side (1, 1, n, 1) for a bias
        # of the last axis, if that has n entries too.
        y = ops.expand_dims(_slices.between(center, 0, num_targets, axis=-1), -1) + y
    return y


def _check(look_back, horizon, num_columns, num_targets, num_calendar, num_quantiles):
    quantiles = 1 if num_quantiles is None else num_quantiles
    if min(look_back, horizon, num_targets, quantiles) < 1 or num_calendar < 0:
        raise ValueError(
            "Sizes must be positive. Received: "
            f"look_back={look_back}, horizon={horizon}, num_targets={num_targets}, "
            f"num_calendar={num_calendar}, num_quantiles={num_quantiles}"
        )
    if num_targets > num_columns:
        raise ValueError(
            "Targets are columns of the history. Received: "
            f"num_columns={num_columns}, num_targets={num_targets}"
        )
