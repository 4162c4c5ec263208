"""The commands that use an exported forecaster: write what will come, make a page.

The work is done by `kerasseq.lite.Forecaster`, without TensorFlow and Keras.
"""

import csv
import io

import numpy as np

from kerasseq import lite
from kerasseq.utils import atomic
from recipes.forecast import data as forecast_data
from recipes.shared import command_line, exported_file, file_input, web_page

HONORED = ("history", "series", "date_column", "date_format", "fill")
HONORED += ("web", "web_library")


def define_flags(flags):
    """Adds the flags of the use of an exported file."""
    define = command_line.definer(flags, "use")
    text = "Only forecast: a CSV file with the columns of the model."
    define("string", "history", None, text)
    text = "With --history: name of the series, where the file has a scale for each."
    define("string", "series", None, text)


def use_file(flags):
    """Forecasts what comes after the last rows of `--history`.

    Prints the forecast and writes it to `forecast.csv`. With `--web` it makes the page
    of the file, with these histories to try.

    Args:
        flags: Flags `history`, `series`, `from`, `output_dir`, `web`, `web_library` and
            those of reading.

    Raises:
        ValueError: for a flag that a file does not honor, or a history that cannot be
            read, is too short or lacks a column; then nothing is written.
    """
    exported_file.check_flags(flags, HONORED)
    if flags.history is None and not flags.web:
        raise ValueError("Give a CSV file to go on from, with --history.")
    web_page.check(flags)
    model = exported_file.find(flags, "forecast")
    forecaster = lite.Forecaster(model)
    series = [] if flags.history is None else _read(flags, forecaster)
    if series:
        _write(flags, model, forecaster, series)
    if flags.web:
        shown = [
            page_sample(forecaster, one, len(one.values), flags.series)
            for one in series[: web_page.NUM_SAMPLES]
        ]
        web_page.add_to_earlier(flags, "forecast", model, shown)


def _write(flags, model, forecaster, series):
    rows = [["unique_id"] * bool(series[0].id) + _header(forecaster)]
    for one in series:
        rows += _forecast(forecaster, one, flags.series)
    for row in rows:
        print("\t".join(row), flush=True)
    output = file_input.output_folder(flags, model) / "forecast.csv"
    with atomic.replace_file(output) as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    print(f"Written to {output}")


def page_sample(forecaster, one, end, series=None):
    """What the page of a file offers to try: a table of a history.

    Args:
        forecaster: The `kerasseq.lite.Forecaster`.
        one: A series with the columns of the file.
        end: The row that comes after the history.
        series: Name of the series in the file, else its own.

    Returns:
        A dict: `label`, `text`, and `series`, its number in the file.
    """
    begin = end - forecaster.look_back
    label = f"{one.id} to " if one.id else "To "
    dates = list(range(begin + 1, end + 1))
    if one.dates is not None:
        dates = [_short(date) for date in one.dates[begin:end]]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["date", *forecaster.columns])
    for date, row in zip(dates, one.values[begin:end], strict=True):
        writer.writerow([date, *(f"{value:.6g}" for value in row)])
    sample = {"label": f"{label}{dates[-1]}", "text": text.getvalue()}
    name = series or one.id
    if name in forecaster.series:
        sample["series"] = forecaster.series.index(name)
    return sample


def _short(date):
    """A date without the part that is zero."""
    text = str(date).replace("T", " ")
    return text.removesuffix(" 00:00:00").removesuffix(":00")


def _read(flags, forecaster):
    """The series of the file, with the columns and the frequency of the model."""
    num_targets = len(forecaster.targets)
    options = {
        "targets": forecaster.targets,
        "covariates": forecaster.columns[num_targets:],
    }
    if forecaster.frequency is None:
        options["date_column"] = flags.date_column or "none"
    found = forecast_data.load_series(flags, flags.history, **options)
    given = found.frequency and tuple(found.frequency)
    if forecaster.frequency not in (None, given):
        unit, step = forecaster.frequency
        raise ValueError(
            f"The model was trained on rows {step} {unit}s apart; average the rows, "
            f"or train on such a file. Received: --history={flags.history}"
            + (f" with rows {found.frequency} apart" if given else " without dates")
        )
    return found.series


def _header(forecaster):
    """Names of the columns of a forecast."""
    if not forecaster.quantiles:
        return ["date", *forecaster.targets]
    levels = [f"{quantile:g}" for quantile in forecaster.quantiles]
    return ["date", *(f"{name} {x}" for name in forecaster.targets for x in levels)]


def _forecast(forecaster, one, series):
    """Rows of text of a forecast, with the date or the number of each."""
    last = None if one.dates is None else one.dates[-1]
    series = series or one.id or None
    found = forecaster(one.values, last, series if forecaster.series else None)
    if forecaster.frequency is None or last is None:
        dates = [str(number) for number in range(1, len(found) + 1)]
    else:
        dates = [str(date).replace("T", " ") for date in forecaster.dates(last)]
    name = [one.id] * bool(one.id)
    values = np.reshape(found, (len(found), -1))
    return [
        [*name, date, *(f"{value:.6g}" for value in row)]
        for date, row in zip(dates, values, strict=True)
    ]
