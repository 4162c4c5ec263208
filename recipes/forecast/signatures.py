"""The whole job as one model, raw units in and out, and what it is compared on."""

import numpy as np

import kerasseq
from recipes.forecast import data as forecast_data
from recipes.shared import quantization_flags

NUM_COMPARED = 20
NUM_REPRESENTATIVE = 200


def inference_model(model, data):
    """The model with scale and calendar inside, as it is saved and exported.

    Args:
        model: The trained model of scaled units, or its
            `kerasseq.models.streaming_model`.
        data: The loaded data.

    Returns:
        A `keras.Model`. Inputs: a dict of `history` `(batch_size, look_back, columns)`
        in raw units, of a step model one row; with a calendar `time` `(batch_size, 1)`,
        whole units since 1970 of its last row; with a scale for each series `series`
        `(batch_size, 1)`, its number; and the states of a step model. Output: a dict of
        `forecast`, `(batch_size, horizon, targets)` or with one axis more, the
        quantiles, in raw units; and the states.
    """
    import keras

    series = data["series"]
    inputs = {
        name: keras.Input(x.shape[1:], name=name)
        for name, x in model.input.items()
        if name != "calendar"
    }
    scale, restore = _scale_layers(data["scaling"], series.num_targets, inputs)
    scaled = inputs | {"history": scale(inputs["history"])}
    scaled.pop("series", None)
    if data["periods"]:
        inputs["time"] = keras.Input((1,), dtype="int32", name="time")
        unit, step = series.frequency
        look_back, horizon = inputs["history"].shape[1], data["train"].horizon
        rows = np.arange(-look_back + 1, horizon + 1, dtype="int32")
        scaled["calendar"] = kerasseq.data.calendar_features(
            inputs["time"] + step * rows, unit, data["periods"]
        )
    outputs = model(scaled)
    if not isinstance(outputs, dict):
        outputs = {"outputs": outputs}
    outputs = {"forecast": restore(outputs.pop("outputs"))} | outputs
    return keras.Model(inputs, outputs, name=f"raw_{model.name}")


def export_options(flags, model, data):
    """Signatures, samples and precisions, as arguments of `export_model`.

    A model that reads row by row (`kerasseq.models.is_streamable`) has the signature
    `step` beside `serve`: one row and the states in, the forecast and the states out.

    Args:
        flags: The flags of the recipe.
        model: The trained model of scaled units.
        data: The loaded data.

    Returns:
        A dict.
    """
    options = {"samples": samples(model, data)}
    if kerasseq.models.is_streamable(model):
        options["signatures"] = lambda twin: _signatures(twin, model.name, data)
    representative = None
    if "int8" in flags.quantize:
        representative = samples(model, data, "train", NUM_REPRESENTATIVE)
    return options | {"quantize": quantization_flags.options(flags, representative)}


def _signatures(whole, name, data):
    step_model = kerasseq.models.streaming_model(whole.get_layer(name))
    step = kerasseq.decoding.step_signature(inference_model(step_model, data))
    return kerasseq.export.serve_signature.default(whole) | step


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


def samples(model, data, part="test", count=NUM_COMPARED):
    """Inputs of each signature, from windows all over a part of the data."""
    numbers = spread(data[part].num_windows, count)
    windows = [forecast_data.raw_inputs(data, part, number)[0] for number in numbers]
    found = {"serve": windows}
    if kerasseq.models.is_streamable(model):
        step_model = kerasseq.models.streaming_model(model)
        found["step"] = _steps(inference_model(step_model, data), data, windows)
    return found


def _steps(step_model, data, windows):
    """A row out of each window, each a little later than that of the one before."""
    names = kerasseq.models.state_names(step_model)
    rows = {name: np.concatenate([x[name] for x in windows]) for name in windows[0]}
    history, look_back = rows["history"], data["train"].look_back
    states = {
        name: np.zeros((len(windows), *step_model.input[name].shape[1:]), "float32")
        for name in names
    }
    at = np.arange(len(windows)) * look_back // len(windows)
    found = [{} for _ in windows]
    for place in range(at[-1] + 1):
        inputs = rows | states | {"history": history[:, place : place + 1]}
        if "time" in rows:
            _, step = data["series"].frequency
            inputs["time"] = rows["time"] - step * np.int32(look_back - 1 - place)
        for number in np.flatnonzero(at == place):
            found[number] = {k: x[number : number + 1] for k, x in inputs.items()}
        outputs = step_model.predict_on_batch(inputs)
        states = {name: outputs[name] for name in names}
    return found


def spread(num, count):
    """Some of `num` numbers, evenly spaced, the first and the last among them."""
    return np.unique(np.linspace(0, num - 1, min(num, count)).round().astype(int))
