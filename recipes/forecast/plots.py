"""The pictures of a run of `recipes.forecast`: forecasts, and errors of each step."""

import numpy as np

from recipes.forecast import data as forecast_data
from recipes.forecast import model as forecast_model
from recipes.forecast import scores, signatures
from recipes.shared import figures

NUM_ORIGINS, NUM_TARGETS = 3, 4
SHOWN = 3  # horizons of the history that are shown at most
_BLUE, _ORANGE, _GREEN = "#0072b2", "#d55e00", "#009e73"


def draw(flags, model, data, results, folder):
    """Draws forecasts of the test part, and the error of each step.

    Args:
        flags: The flags of the recipe.
        model: The model of raw units.
        data: The loaded data.
        results: What `evaluate` returned.
        folder: Where the pictures go, a `pathlib.Path`.

    Returns:
        The names of the files.
    """
    numbers = signatures.spread(data["test"].num_windows, NUM_ORIGINS + 2)[1:-1]
    if not len(numbers):
        numbers = [0]
    windows = [_window(flags, model, data, number) for number in numbers]
    names = data["series"].columns[: data["series"].num_targets][:NUM_TARGETS]
    draw_forecasts(
        folder / "forecasts.png", windows, names, forecast_model.quantiles(flags)
    )
    draw_steps(folder / "steps.png", results["steps"])
    return ["forecasts.png", "steps.png"]


def _window(flags, model, data, number):
    """Title, history, truth and forecast of a window, in raw units."""
    inputs, truth = forecast_data.raw_inputs(data, "test", number)
    index, row = forecast_data.place(data, "test", number)
    one = data["series"].series[index]
    begins = row if one.dates is None else forecast_data.shown(one.dates)[row]
    forecast = model.predict(inputs, verbose=0)["forecast"][0]
    title = f"{one.id} from {begins}" if one.id else f"from {begins}"
    return title, inputs["history"][0], truth, forecast


def draw_forecasts(path, windows, names, quantiles=()):
    """Draws what was, what came and what was forecast.

    Args:
        path: Path of the PNG.
        windows: List of `(title, history, truth, forecast)`: arrays `(look_back,
            columns)`, `(horizon, targets)` and `(horizon, targets)`, or with quantiles
            one axis more.
        names: Names of the first targets; so many are drawn.
        quantiles: List of the quantiles; the outer ones are drawn as an interval.
    """
    size = (3.2 * len(windows) + 0.6, 1.5 * len(names) + 0.5)
    with figures.figure(path, *size) as drawn:
        options = {"squeeze": False, "sharex": True}
        grid = drawn.subplots(len(names), len(windows), **options)
        for column, (title, *arrays) in enumerate(windows):
            grid[0, column].set_title(figures.shorten(title, 3.2))
            for row in range(len(names)):
                _draw_window(grid[row, column], *arrays, row, quantiles)
            grid[-1, column].set_xlabel("step")
        for row, name in enumerate(names):
            grid[row, 0].set_ylabel(figures.shorten(name, 1.3))
        lines = grid[0, 0].get_legend_handles_labels()
        drawn.legend(*lines, loc="outside lower center", ncols=4)


def _draw_window(axes, history, truth, forecast, target, quantiles):
    horizon = len(truth)
    before = history[-SHOWN * horizon :, target]
    steps = np.arange(1, horizon + 1)
    axes.plot(
        np.arange(1 - len(before), 1), before, color="#888888", lw=1, label="history"
    )
    axes.plot(steps, truth[:, target], color="black", lw=1.2, label="truth")
    if len(quantiles) > 1:
        label = f"{quantiles[0]:g} to {quantiles[-1]:g}"
        edges = forecast[:, target, 0], forecast[:, target, -1]
        axes.fill_between(steps, *edges, color=_BLUE, alpha=0.25, lw=0, label=label)
    middle = scores.median(forecast, quantiles)[:, target]
    axes.plot(steps, middle, color=_BLUE, lw=1.4, label="forecast")
    axes.axvline(0.5, color="#cccccc", lw=0.8, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)


def draw_steps(path, steps):
    """Draws the mean absolute error of each step, beside those of repeating.

    Args:
        path: Path of the PNG.
        steps: `{forecaster: list of errors}`.
    """
    colors = (_BLUE, _ORANGE, _GREEN)
    with figures.figure(path, 5.5, 2.6) as drawn:
        axes = drawn.subplots()
        for (name, errors), color in zip(steps.items(), colors, strict=True):
            marker = "o" if len(errors) == 1 else None
            options = {"color": color, "marker": marker, "lw": 1.4}
            places = range(1, len(errors) + 1)
            axes.plot(places, errors, label=name.replace("_", " "), **options)
        axes.set(xlabel="step of the forecast", ylabel="mean absolute error, scaled")
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend()
