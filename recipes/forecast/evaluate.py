"""The test part of `recipes.forecast`, in Keras and with each exported file.

Errors are those of a single forecast, of several quantiles the median. In scaled units
they are means over all columns, the protocol of the ETT benchmarks.
"""

import time

import numpy as np

import kerasseq
from recipes.forecast import data as forecast_data
from recipes.forecast import model as forecast_model
from recipes.forecast import scores, signatures
from recipes.forecast import use_file as forecast_file
from recipes.shared import artifacts, chance

NUM_CHECKED = 500  # windows for each file


def evaluate(flags, model, data):
    """Forecasts all windows of the test part with Keras, and scores them.

    Args:
        flags: The flags of the recipe.
        model: The trained model of scaled units.
        data: The loaded data.

    Returns:
        A dict: `scores`; `steps`, `{forecaster: mean absolute error of each step}`,
        scaled; and `warnings`.
    """
    quantiles = forecast_model.quantiles(flags)
    names = ["model", "seasonal_naive", "last_value"]
    sums = {name: scores.Sums() for name in names}
    for inputs, truth, scale in _batches(data):
        forecast = model.predict_on_batch(inputs)[: len(truth)].astype("float64")
        sums["model"].add(truth, forecast, scale, quantiles)
        history = inputs["history"][: len(truth)]
        for name, season in (("seasonal_naive", data["season"]), ("last_value", 1)):
            naive = scores.repeat(history, season, truth.shape[1:])
            sums[name].add(truth, naive, scale)
    targets = data["series"].columns[: data["series"].num_targets]
    found = {
        name if x == "model" else f"{x}_{name}": value
        for x in names
        for name, value in sums[x].scores(targets if x == "model" else ()).items()
    }
    found |= sums["model"].of_quantiles(quantiles)
    print(f"Keras: {_summary(found)}")
    for name in names[1:]:
        short = {key: found[f"{name}_{key}"] for key in ("mse", "mae")}
        print(f"{name.replace('_', ' ')}: {_summary(short)}")
    steps = {name: sums[name].of_steps() for name in names}
    return {"scores": found, "steps": steps, "warnings": _warnings(found)}


def _batches(data):
    """Inputs, truth in scaled units, and the scales of the rows of each batch."""
    batches, first = data["test"], 0
    for index in range(len(batches)):
        count = batches.windows_in_batch(index)
        inputs, truth, _ = batches[index]
        places = (forecast_data.place(data, "test", first + k) for k in range(count))
        scale = [data["scaling"].of(number)[1] for number, _ in places]
        scale = np.stack(scale)[:, None, : truth.shape[2]]
        yield inputs, truth[:count].astype("float64"), scale
        first += count


def _summary(found):
    names = [name for name in ("mse", "mae", "coverage", "pinball") if name in found]
    return ", ".join(f"{name} {found[name]:.4f}" for name in names)


def _warnings(found):
    """Whether it does better than repeating what was, as sentences."""
    naive = min(("seasonal_naive", "last_value"), key=lambda x: found[f"{x}_mse"])
    if found["mse"] < found[f"{naive}_mse"]:
        return []
    baseline = f"{naive.replace('_', ' ')}, {found[f'{naive}_mse']:.4f}"
    return [chance.no_better(f"an MSE of {found['mse']:.4f}", baseline)]


def verify_all(flags, model, data, report, folder, results):
    """Forecasts test windows with each exported file, and compares with Keras.

    Errors, the largest difference to Keras in scaled units, and time go into the
    report, as each file's `metrics`.

    Args:
        flags: The flags of the recipe.
        model: The model of raw units.
        data: The loaded data.
        report: What `kerasseq.export.export_model` returned.
        folder: Where the files are.
        results: What `evaluate` returned; it goes to the float32 file.
    """
    numbers = signatures.spread(data["test"].num_windows, NUM_CHECKED)
    rows = [forecast_data.raw_inputs(data, "test", number) for number in numbers]
    joined = {name: np.concatenate([x[name] for x, _ in rows]) for name in rows[0][0]}
    expected = model.predict(joined, batch_size=32, verbose=0)["forecast"]
    for artifact in artifacts.tflite_entries(report):
        artifact["metrics"] = _verify(
            folder / artifact["file"], flags, data, numbers, rows, expected
        )
    report["artifacts"][0]["metrics"] = (
        results["scores"] | report["artifacts"][0]["metrics"]
    )


def _verify(path, flags, data, numbers, rows, expected):
    runner = kerasseq.lite.Runner(path)
    began = time.perf_counter()
    found = [runner.run("serve", **inputs)["forecast"][0] for inputs, _ in rows]
    seconds = time.perf_counter() - began
    truth = [truth for _, truth in rows]
    metrics = _file_scores(flags, data, numbers, truth, found)
    scales = _scales(data, numbers)
    differences = [
        np.abs((a - b) / scale.reshape(scale.shape + (1,) * (a.ndim - 2))).max()
        for a, b, scale in zip(found, expected, scales, strict=True)
    ]
    metrics |= {
        "windows": len(rows),
        "max_difference": float(max(differences)),
        "ms_per_forecast": 1e3 * seconds / len(rows),
    }
    print(
        f"{path.name}: mse {metrics['file_mse']:.4f} on {len(rows)} windows, at most "
        f"{metrics['max_difference']:.2g} deviations from Keras', "
        f"{metrics['ms_per_forecast']:.2f} ms per forecast"
    )
    return metrics


def _scales(data, numbers):
    """The deviations of the targets, `(num_targets,)` for each window."""
    places = (forecast_data.place(data, "test", number)[0] for number in numbers)
    num_targets = data["series"].num_targets
    return [data["scaling"].of(index)[1][:num_targets] for index in places]


def _file_scores(flags, data, numbers, truth, found):
    """Errors of forecasts in raw units, scaled as those of Keras are."""
    middle = scores.median(np.stack(found), forecast_model.quantiles(flags))
    scale = np.stack(_scales(data, numbers))[:, None]
    errors = (middle - np.stack(truth)) / scale
    return {
        "file_mse": float(np.mean(errors**2)),
        "file_mae": float(np.mean(np.abs(errors))),
    }


def backtest(flags, data, model):
    """Forecasts from several origins of the test part, rows of the table of samples.

    Args:
        flags: The flags of the recipe.
        data: The loaded data.
        model: The model of raw units.

    Returns:
        A list of dicts: where the forecast begins, and errors in scaled units.
    """
    quantiles, rows = forecast_model.quantiles(flags), []
    for number in signatures.spread(data["test"].num_windows, flags.backtest):
        inputs, truth = forecast_data.raw_inputs(data, "test", number)
        forecast = model.predict(inputs, verbose=0)["forecast"].astype("float64")
        rows.append(_backtest_row(data, number, inputs, truth, forecast, quantiles))
    return rows


def _backtest_row(data, number, inputs, truth, forecast, quantiles):
    index, place = forecast_data.place(data, "test", number)
    one = data["series"].series[index]
    (scale,), history = _scales(data, [number]), inputs["history"]
    naive = scores.repeat(history, data["season"], truth.shape)
    errors = (scores.median(forecast, quantiles) - truth) / scale
    row = {"series": one.id} if one.id else {}
    dates = one.dates
    row |= {
        "forecast from": place if dates is None else forecast_data.shown(dates)[place],
        "MSE": float(np.mean(errors**2)),
        "MAE": float(np.mean(np.abs(errors))),
        "MAE, seasonal naive": float(np.mean(np.abs((naive - truth) / scale))),
    }
    if len(quantiles) > 1:
        inside = (forecast[0, ..., 0] <= truth) & (truth <= forecast[0, ..., -1])
        row["coverage"] = float(np.mean(inside))
    return row


def page_samples(data, path, count=4):
    """Histories of the test part that the page of a file offers to try.

    Args:
        data: The loaded data.
        path: The exported file, or its folder.
        count: Number of histories.

    Returns:
        A list of what `recipes.forecast.use_file.page_sample` returns.
    """
    forecaster, found = kerasseq.lite.Forecaster(path), []
    for number in signatures.spread(data["test"].num_windows, count):
        index, end = forecast_data.place(data, "test", number)
        one = data["series"].series[index]
        found.append(forecast_file.page_sample(forecaster, one, end))
    return found


def published_score(path, flags, num_rows=NUM_CHECKED):
    """Scores an exported file as an app would use it, on some test windows.

    Args:
        path: Path of the `.tflite` file.
        flags: The flags of the run that made it.
        num_rows: Number of windows.

    Returns:
        A dict: `metric`, its `value`, and the `rows` that it was computed on.
    """
    data = forecast_data.load(flags)
    forecaster = kerasseq.lite.Forecaster(path)
    numbers = signatures.spread(data["test"].num_windows, num_rows)
    truth, found = [], []
    for number in numbers:
        index, place = forecast_data.place(data, "test", number)
        one = data["series"].series[index]
        options = {"series": one.id} if forecaster.series else {}
        if one.dates is not None:
            options["time"] = one.dates[place - 1]
        history = one.values[place - forecaster.look_back : place]
        found.append(forecaster(history, **options))
        truth.append(forecast_data.raw_inputs(data, "test", number)[1])
    value = _file_scores(flags, data, numbers, truth, found)["file_mse"]
    return {"metric": "file_mse", "value": value, "rows": len(numbers)}
