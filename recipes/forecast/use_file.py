"""The commands that use an exported forecaster: write what will come, make a page.

The work is done by `kerasseq.lite.Forecaster`, without TensorFlow and Keras.
"""

import csv
import io
import pathlib
import sys

import numpy as np

from kerasseq import lite
from kerasseq.data import _series_files
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
    text = (
        "With --history: which of its series; of a file of one, its name, where the "
        "model has a scale for each."
    )
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
            read, is too short or lacks a column or series; then nothing is written.
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
        series: Name of the series in the file, if it has none of its own.

    Returns:
        A dict: `label`, `text`, and `series`, its number in the file.
    """
    begin = end - forecaster.look_back
    label = f"{one.id} to " if one.id else "To "
    dates = list(range(begin + 1, end + 1))
    if one.dates is not None:
        dates = forecast_data.shown(one.dates[begin:end])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["date", *forecaster.columns])
    for date, row in zip(dates, one.values[begin:end], strict=True):
        writer.writerow([date, *map(_number, row)])
    sample = {"label": f"{label}{dates[-1]}", "text": text.getvalue()}
    name = one.id or series
    if name in forecaster.series:
        sample["series"] = forecaster.series.index(name)
    return sample


def _number(value):
    """A number with all digits of a float32, which is what the file computes in."""
    return str(float(str(np.float32(value)))).removesuffix(".0")


def _read(flags, forecaster):
    """The series of the file, with the columns and the frequency of the model."""
    num_targets = len(forecaster.targets)
    options = {
        "targets": forecaster.targets,
        "covariates": forecaster.columns[num_targets:],
        "clock": forecaster.clock,
    }
    if forecaster.frequency is None:
        options["date_column"] = flags.date_column or "none"
    # A path, so that no name means generated series.
    path = pathlib.Path(flags.history)
    _check_columns(path, forecaster)
    found = forecast_data.load_series(flags, path, **options)
    for note in found.notes:
        print(note, file=sys.stderr)
    given = found.frequency and tuple(found.frequency)
    if forecaster.frequency not in (None, given):
        unit, step = forecaster.frequency
        raise ValueError(
            f"The model was trained on rows {step} {unit}s apart; average the rows, "
            f"or train on such a file. Received: --history={flags.history}"
            + (f" with rows {found.frequency} apart" if given else " without dates")
        )
    series = _chosen(flags, found.series)
    for one in series:
        _check_series(flags, forecaster, one)
    return series


def _check_columns(path, forecaster):
    """Refuses a file without the columns of the model, in the terms of `--history`."""
    if not path.is_file():
        raise ValueError(
            "--history is the path of a CSV file with the columns "
            f"{', '.join(forecaster.columns)}. There is no file '{path}'"
        )
    header = _series_files.read_table(path).header
    missing = [name for name in forecaster.columns if name not in header]
    if missing:
        raise ValueError(
            f"--history must have the columns of the model, "
            f"{', '.join(forecaster.columns)}; it lacks {', '.join(missing)}. "
            f"Received: {path} with {', '.join(header)}"
        )


def _chosen(flags, series):
    """The series of the name of `--series`; all if it is not given."""
    name = flags.series
    if name is None or not series[0].id:
        return series
    found = [one for one in series if one.id == name]
    if not found:
        names = [one.id for one in series]
        raise ValueError(
            f"--series is one of those of the file, {', '.join(names[:10])}"
            f"{', ...' if len(names) > 10 else ''}. Received: --series={name}"
        )
    return found


def _check_series(flags, forecaster, one):
    """Refuses a series that the model cannot forecast."""
    where = f"{flags.history}: series {one.id!r}: " if one.id else f"{flags.history}: "
    if len(one.values) < forecaster.look_back:
        raise ValueError(
            f"{where}the model reads at least {forecaster.look_back} rows; give more, "
            f"or leave the series out. Received: {len(one.values)} rows"
        )
    if not forecaster.series:
        if flags.series and not one.id:
            raise ValueError(
                f"{where}it has one series without a name, and the model one scale for "
                f"all; leave --series out. Received: --series={flags.series}"
            )
        return
    if (one.id or flags.series) not in forecaster.series:
        names = forecaster.series
        shown = ", ".join(names[:10]) + ", ..." * (len(names) > 10)
        advice = "leave others out" if one.id else "name one with --series"
        raise ValueError(
            f"{where}the model has a scale for each series that it was trained on, "
            f"{shown}; {advice}. Received: {one.id or flags.series}"
        )


def _header(forecaster):
    """Names of the columns of a forecast."""
    if not forecaster.quantiles:
        return ["date", *forecaster.targets]
    levels = [f"{quantile:g}" for quantile in forecaster.quantiles]
    return ["date", *(f"{name} {x}" for name in forecaster.targets for x in levels)]


def _forecast(forecaster, one, series):
    """Rows of text of a forecast, with the date or the number of each."""
    last = None if one.dates is None else one.dates[-1]
    series = one.id or series
    found = forecaster(one.values, last, series if forecaster.series else None)
    if forecaster.frequency is None or last is None:
        dates = [str(number) for number in range(1, len(found) + 1)]
    else:
        dates = forecast_data.shown(forecaster.dates(last))
    name = [one.id] * bool(one.id)
    values = np.reshape(found, (len(found), -1))
    return [
        [*name, date, *map(_number, row)]
        for date, row in zip(dates, values, strict=True)
    ]
