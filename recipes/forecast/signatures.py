"""The whole job as one model, raw units in and out, and what it is compared on."""

import numpy as np

import kerasseq
from recipes.forecast import data as forecast_data

NUM_COMPARED = 20
NUM_REPRESENTATIVE = 200


def inference_model(model, data):
    """The model with scale and calendar inside, as it is saved and exported.

    Args:
        model: The trained model of scaled units.
        data: The loaded data.

    Returns:
        A `keras.Model`. Inputs: a dict of `history` `(batch_size, look_back, columns)`
        in raw units; with a calendar `time` `(batch_size, 1)`, whole units since 1970
        of its last row; with a scale for each series `series` `(batch_size, 1)`, its
        number. Output: a dict of `forecast`, `(batch_size, horizon, targets)` or with
        one axis more, the quantiles, in raw units.
    """
    import keras

    series, look_back = data["series"], data["train"].look_back
    history = keras.Input((look_back, len(series.columns)), name="history")
    inputs = {"history": history}
    scale, restore = _scale_layers(data["scaling"], series.num_targets, inputs)
    scaled = {"history": scale(history)}
    if data["periods"]:
        inputs["time"] = keras.Input((1,), dtype="int32", name="time")
        unit, step = series.frequency
        rows = np.arange(-look_back + 1, data["train"].horizon + 1, dtype="int32")
        scaled["calendar"] = kerasseq.data.calendar_features(
            inputs["time"] + step * rows, unit, data["periods"]
        )
    outputs = {"forecast": restore(model(scaled))}
    return keras.Model(inputs, outputs, name="raw_forecaster")


def _scale_layers(scaling, num_targets, inputs):
    """What scales a history, and what undoes it for a forecast, both functions."""
    import keras

    if len(scaling.mean) > 1:
        return _scales_of_series(scaling, num_targets, inputs)
    mean, variance = scaling.mean[0], scaling.scale[0] ** 2
    options = {"mean": mean.tolist(), "variance": variance.tolist()}
    scale = keras.layers.Normalization(name="scale", **options)
    options = {name: values[:num_targets] for name, values in options.items()}
    restore = keras.layers.Normalization(2, invert=True, name="restore", **options)
    return scale, restore


def _scales_of_series(scaling, num_targets, inputs):
    """The same for the series whose number is an input, which is added to `inputs`."""
    import keras
    from keras import ops

    number = inputs["series"] = keras.Input((1,), dtype="int32", name="series")
    found = []
    for name, values in scaling._asdict().items():
        start = keras.initializers.Constant(values.tolist())
        table = keras.layers.Embedding(*values.shape, start, name=f"{name}_of_series")
        table.trainable = False
        found.append(table(number))
    mean, scale = found  # (batch_size, 1, columns)

    def restore(forecast):
        of_targets = [x[..., :num_targets] for x in (scale, mean)]
        if len(forecast.shape) == 4:
            of_targets = [ops.expand_dims(x, -1) for x in of_targets]
        # The mean to the left, see `kerasseq.models.forecaster`.
        return of_targets[1] + forecast * of_targets[0]

    return lambda history: (history - mean) / scale, restore


def samples(data, part="test", count=NUM_COMPARED):
    """Inputs of the signature `serve`: windows from all over a part of the data."""
    numbers = spread(data[part].num_windows, count)
    return [forecast_data.raw_inputs(data, part, number)[0] for number in numbers]


def spread(num, count):
    """Some of `num` numbers, evenly spaced, the first and the last among them."""
    return np.unique(np.linspace(0, num - 1, min(num, count)).round().astype(int))
