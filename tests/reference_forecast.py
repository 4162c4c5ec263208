"""The forecasters in plain NumPy, float64 throughout, written for reading.

`w` holds the weights by their path in the model: `w["head/kernel"]`.
"""

import numpy as np
import reference
import reference_transformer as transformer
from reference_vision import dense, relu


def forecaster(
    inputs,
    w,
    *,
    arch,
    horizon,
    num_targets,
    num_quantiles=None,
    instance_normalization=None,
    **options,
):
    x, calendar = inputs["history"], inputs.get("calendar")
    shape = (len(x), horizon, num_targets, num_quantiles or 1)
    kind = "last" if arch == "nlinear" else instance_normalization
    center, scale = statistics(x, kind)
    y = BODIES[arch]((x - center) / scale, calendar, w, shape, **options)
    if calendar is not None:
        effect = relu(dense(calendar[:, x.shape[1] :], w, "calendar_hidden"))
        y = y + dense(effect, w, "calendar_effect").reshape(shape)
    for k in range(1, shape[-1]):  # each quantile above the one before
        y[..., k] = y[..., k - 1] + np.log(1 + np.exp(y[..., k]))
    y = y * scale[..., :num_targets, None] + center[..., :num_targets, None]
    return y if num_quantiles else y[..., 0]


def statistics(x, kind):
    """Kim et al. (2022), without weights."""
    if kind is None:
        return np.zeros((1, 1, x.shape[2])), np.ones((1, 1, x.shape[2]))
    if kind == "last":
        return x[:, -1:], np.ones((1, 1, x.shape[2]))
    return x.mean(1, keepdims=True), np.sqrt(x.var(1, keepdims=True) + 1e-5)


def linear(x, calendar, w, shape, name="linear"):
    y = dense(x.swapaxes(1, 2), w, name)  # (batch, columns, horizon * quantiles)
    return of_columns(y, shape)


def of_columns(y, shape):
    batch, horizon, num_targets, num_quantiles = shape
    return y.reshape(batch, num_targets, horizon, num_quantiles).swapaxes(1, 2)


def dlinear(x, calendar, w, shape, kernel_size):
    """Zeng et al. (2023), section 4."""
    half, length = kernel_size // 2, x.shape[1]
    trend = np.zeros_like(x)
    for time in range(length):
        places = np.clip(np.arange(time - half, time + half + 1), 0, length - 1)
        trend[:, time] = x[:, places].mean(1)
    parts = ((x - trend, "seasonal"), (trend, "trend"))
    return sum(linear(part, calendar, w, shape, name) for part, name in parts)


def patch_transformer(x, calendar, w, shape, patch_length, patch_stride):
    """Nie et al. (2023), section 3.1, with blocks of `layers.TransformerEncoder`."""
    outputs = []
    for column in range(x.shape[2]):
        row = x[:, :, column]
        row = np.concatenate([row, np.repeat(row[:, -1:], patch_stride, 1)], 1)
        first = row.shape[1] % patch_stride
        starts = range(first, row.shape[1] - patch_length + 1, patch_stride)
        patches = np.stack([row[:, k : k + patch_length] for k in starts], 1)
        y = transformer.stack(
            dense(patches, w, "patches"),
            w,
            "blocks",
            num_layers=1,
            heads=2,
            positions="learned",
            activation="gelu",
        )
        outputs.append(dense(y.reshape(len(y), -1), w, "head"))
    return of_columns(np.stack(outputs, 1), shape)


def with_calendar(x, calendar):
    if calendar is None:
        return x
    return np.concatenate([x, calendar[:, : x.shape[1]]], -1)


def cells(w, name, num_layers):
    """The weights of a stack: for each layer a list for its one direction."""
    parts = [
        [x for path, x in w.items() if f"{name}/layer_{k}/" in path]
        for k in range(num_layers)
    ]
    return [[part] for part in parts]


def gru(x, calendar, w, shape):
    x = with_calendar(x, calendar)
    x, _, _ = reference.stacked_rnn("gru", x, cells(w, "encoder", 1))
    return dense(x[:, -1], w, "head").reshape(shape)


def seq2seq(x, calendar, w, shape, num_layers):
    length = x.shape[1]
    x = with_calendar(x, calendar)
    options = {"residual": True}
    x, _, states = reference.stacked_rnn(
        "gru", x, cells(w, "encoder", num_layers), **options
    )
    x = np.repeat(x[:, -1:], shape[1], 1)
    x = np.concatenate([x, calendar[:, length:]], -1)
    states = [[[state]] for state in states]
    x, _, _ = reference.stacked_rnn(
        "gru", x, cells(w, "decoder", num_layers), states=states, **options
    )
    return dense(x, w, "head").reshape(shape)


def attention(x, calendar, w, shape):
    x = dense(with_calendar(x, calendar), w, "projection")
    x = transformer.stack(x, w, "blocks", num_layers=1, heads=2, positions="rotary")
    x = np.concatenate([x[:, -1], x.mean(1)], -1)
    return dense(x, w, "head").reshape(shape)


BODIES = {
    "nlinear": linear,
    "dlinear": dlinear,
    "gru": gru,
    "seq2seq": seq2seq,
    "transformer": attention,
    "patch_transformer": patch_transformer,
}
