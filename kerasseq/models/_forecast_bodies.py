"""What lies between a history and its forecast, one function a kind.

Each takes the history `(batch_size, look_back, num_columns)`, the calendar or `None`,
and the shape `(horizon, num_targets, num_quantiles)` of what it returns.
"""

import functools

import keras
from keras import ops

from kerasseq import layers
from kerasseq.models import _sequence_encoders, _slices

OF_ONE_COLUMN = ("linear", "nlinear", "dlinear", "patch_transformer")


def forecaster_kinds():
    """The names that `arch` of `kerasseq.models.forecaster` takes, a list."""
    return [*_table()]


def find(arch):
    """The function of a kind.

    Raises:
        ValueError: for an unknown one.
    """
    table = _table()
    if arch not in table:
        raise ValueError(
            f"`arch` must be one of {', '.join(table)}. Received: arch={arch!r}"
        )
    return table[arch]


def _table():
    own = {
        "linear": _linear,
        "nlinear": _linear,  # of what lies above the last value
        "dlinear": _dlinear,
        "patch_transformer": _patch_transformer,
        "seq2seq": _seq2seq,
    }
    encoders = _sequence_encoders.encoder_kinds()
    return own | {name: functools.partial(_encoder, arch=name) for name in encoders}


def calendar_effect(future, shape, units):
    """What the calendar of each future step adds, whatever the history."""
    num_outputs = shape[1] * shape[2]
    parts = {
        "calendar_hidden": keras.layers.Dense(units, "relu", name="calendar_hidden"),
        "calendar_effect": keras.layers.Dense(num_outputs, name="calendar_effect"),
    }
    return _calendar_effect(parts, future, shape)


def _calendar_effect(parts, future, shape):
    y = parts["calendar_effect"](parts["calendar_hidden"](future))
    return ops.reshape(y, (-1, *shape))


def ascending(y):
    """The first quantile, and the distances of each from the one below it."""
    if y.shape[-1] == 1:
        return y
    first, steps = ops.split(y, [1], axis=-1)
    steps = ops.softplus(steps)
    return ops.concatenate([first, first + ops.cumsum(steps, axis=-1)], axis=-1)


def after_the_last_step(model, x, states, calendar):
    """What a trained model forecasts from its encoder at one step.

    Args:
        model: A recurrent model that reads forward, without instance normalization.
        x: Output of its encoder, `(batch_size, 1, units)`.
        states: States of the encoder after this step.
        calendar: That of the step and of the horizon, or `None`.

    Returns:
        Tensor of the shape of the model's output.
    """
    parts = {layer.name: layer for layer in model.layers}
    quantiles = model.output_shape[3:]
    shape = (*model.output_shape[1:3], *(quantiles or [1]))
    future = None if calendar is None else _slices.between(calendar, 1)
    x = ops.squeeze(x, 1)
    y = _decoded(parts, x, states, future) if "decoder" in parts else parts["head"](x)
    y = ops.reshape(y, (-1, *shape))
    if future is not None:
        y = y + _calendar_effect(parts, future, shape)
    return ascending(y) if quantiles else ops.squeeze(y, -1)


def _linear(x, calendar, shape, **_):
    return _of_columns(_over_time(x, shape, "linear"), shape)


def _dlinear(x, calendar, shape, *, kernel_size, **_):
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(
            "`kernel_size` must be odd, so that an average has its step in the middle. "
            f"Received: kernel_size={kernel_size}"
        )
    trend = _moving_average(x, kernel_size)
    y = _over_time(x - trend, shape, "seasonal") + _over_time(trend, shape, "trend")
    return _of_columns(y, shape)


def _moving_average(x, kernel_size):
    """Around each step; beyond the ends the first and the last value go on."""
    half = kernel_size // 2
    if not half:
        return x
    ends = [
        ops.repeat(_slices.between(x, k, k + 1), half, axis=1)
        for k in (0, x.shape[1] - 1)
    ]
    padded = ops.concatenate([ends[0], x, ends[1]], axis=1)
    return _window_sums(padded, kernel_size) / kernel_size


def _window_sums(x, size):
    """Sums of `size` steps from each step on, made of sums over 1, 2, 4, ... steps.

    (From JAX an average pooling does not convert to TFLite's builtin ops.)
    """
    length, parts, offset, width = x.shape[1] - size + 1, [], 0, 1
    while width <= size:
        if size & width:
            parts.append(_slices.between(x, offset, offset + length))
            offset += width
        if 2 * width <= size:
            rest = x.shape[1] - width
            x = _slices.between(x, 0, rest) + _slices.between(x, width)
        width *= 2
    return sum(parts[1:], parts[0])


def _over_time(x, shape, name):
    """One linear map from all steps of a column to those of its forecast."""
    # (batch_size, num_columns, look_back)
    x = ops.transpose(x, (0, 2, 1))
    # What training does not correct of the first weights stays as noise in the
    # forecasts, so they are zeros, which a linear map learns from as well.
    features = shape[0] * shape[2]
    return keras.layers.Dense(features, kernel_initializer="zeros", name=name)(x)


def _of_columns(y, shape):
    """`(batch_size, num_columns, horizon * num_quantiles)` as `shape` says."""
    horizon, num_targets, num_quantiles = shape
    y = ops.reshape(y, (-1, num_targets, horizon, num_quantiles))
    return ops.transpose(y, (0, 2, 1, 3))


def _patch_transformer(
    x,
    calendar,
    shape,
    *,
    units,
    num_layers,
    dropout,
    num_heads,
    mlp_dim,
    patch_length,
    patch_stride,
    **_,
):
    _check_patches(x.shape[1], patch_length, patch_stride)
    _sequence_encoders.check_heads(units, num_heads)
    num_columns = x.shape[2]
    # Each column is an example of its own: (batch_size * num_columns, look_back)
    x = ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, x.shape[1]))
    x = keras.layers.Dense(units, name="patches")(
        _patches(x, patch_length, patch_stride)
    )
    encoder = layers.TransformerEncoder(
        num_layers,
        num_heads,
        mlp_dim or 4 * units,
        positions="learned",
        max_length=x.shape[1],
        dropout=dropout,
        activation="gelu",
        name="blocks",
    )
    x = layers.Dropout(dropout, name="dropout")(encoder(x))
    x = ops.reshape(x, (-1, num_columns, x.shape[1] * units))
    x = keras.layers.Dense(shape[0] * shape[2], name="head")(x)
    return _of_columns(x, shape)


def _patches(x, length, stride):
    """`(rows, look_back)` as overlapping patches `(rows, num_patches, length)`.

    The last value goes on for one stride, as in the paper; the oldest values that do
    not fill a stride are left out.
    """
    end = ops.repeat(_slices.between(x, -1), stride, axis=1)
    x = ops.concatenate([x, end], axis=1)
    x = _slices.between(x, x.shape[1] % stride)
    x = ops.reshape(x, (-1, x.shape[1] // stride, stride))
    parts = length // stride
    count = x.shape[1] - parts + 1
    shifted = [_slices.between(x, k, k + count) for k in range(parts)]
    return ops.concatenate(shifted, axis=-1)


def _check_patches(look_back, length, stride):
    if not 1 <= stride <= length <= look_back or length % stride:
        raise ValueError(
            "`patch_stride` must divide `patch_length`, and a patch be no longer than "
            f"the history. Received: patch_length={length}, patch_stride={stride}, "
            f"look_back={look_back}"
        )


def with_calendar(x, calendar):
    """The history with the calendar of its steps beside it."""
    if calendar is None:
        return x
    return ops.concatenate([x, _slices.between(calendar, 0, x.shape[1])], axis=-1)


def _encoder(
    x, calendar, shape, *, arch, units, num_layers, dropout, num_heads, mlp_dim, **_
):
    x = _sequence_encoders.encode(
        with_calendar(x, calendar),
        None,
        arch,
        units=units,
        num_layers=num_layers,
        dropout=dropout,
        num_heads=num_heads,
        mlp_dim=mlp_dim,
    )
    summary = ops.take(x, x.shape[1] - 1, axis=1)
    if arch not in layers.CELLS:
        summary = ops.concatenate([summary, ops.mean(x, axis=1)], axis=-1)
    summary = layers.Dropout(dropout, name="dropout")(summary)
    y = keras.layers.Dense(shape[0] * shape[1] * shape[2], name="head")(summary)
    return ops.reshape(y, (-1, *shape))


def _seq2seq(x, calendar, shape, *, units, num_layers, dropout, cell, **_):
    look_back, options = x.shape[1], {"dropout": dropout, "residual": num_layers > 1}
    encoder, decoder = (
        layers.StackedRNN(
            units,
            num_layers,
            cell,
            return_sequences=True,
            return_state=True,
            name=name,
            **options,
        )
        for name in ("encoder", "decoder")
    )
    parts = {
        "summary": keras.layers.RepeatVector(shape[0], name="summary"),
        "decoder": decoder,
        "head": keras.layers.Dense(shape[1] * shape[2], name="head"),
    }
    future = None if calendar is None else _slices.between(calendar, look_back)
    x, *states = encoder(with_calendar(x, calendar))
    y = _decoded(parts, ops.take(x, look_back - 1, axis=1), states, future)
    return ops.reshape(y, (-1, *shape))


def _decoded(parts, x, states, future):
    """The horizon, from the encoder's last output and states."""
    x = parts["summary"](x)
    if future is not None:
        x = ops.concatenate([x, future], axis=-1)
    return parts["head"](parts["decoder"](x, initial_state=states)[0])
