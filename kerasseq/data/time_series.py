"""Series of numbers over time, from CSV files or generated."""

import pathlib
import typing

import numpy as np

from kerasseq.data import (
    _generated_series,
    _series_dates,
    _series_files,
    _series_moments,
    _series_numbers,
)

CLOCKS = (None, "utc", "local")


class Series(typing.NamedTuple):
    """One series, or several that are measured together.

    Args:
        id: String, `""` if there is only one.
        dates: `datetime64[s]` array `(num_rows,)`, equally spaced, or `None`.
        values: float64 array `(num_rows, num_columns)`, targets first.
    """

    id: str
    dates: np.ndarray | None
    values: np.ndarray


class TimeSeries(typing.NamedTuple):
    """Series with the same columns and frequency.

    Args:
        name: String. Name of the data, for the report.
        columns: List of the columns' names, targets first, then covariates.
        num_targets: Integer. Columns that are to be forecast.
        frequency: A pair of unit (a key of `kerasseq.lite.calendar.UNITS`) and step,
            or `None` if there are no dates.
        series: List of `Series`.
        clock: What the dates are on where they had offsets from UTC: `"utc"`, or
            `"local"`, their own clock; `None` where they had none.
        notes: List of strings, what was left out or changed in reading.
    """

    name: str
    columns: list
    num_targets: int
    frequency: tuple | None
    series: list
    clock: str | None = None
    notes: list | tuple = ()


def load_time_series(
    data="synthetic",
    *,
    targets=None,
    covariates=(),
    date_column=None,
    date_format=None,
    fill=None,
    clock=None,
    seed=0,
):
    """Loads series of numbers over time, to train a forecaster.

    Args:
        data: One of
            - `"synthetic"`: a year of three hourly series with a daily and a weekly
              season, a trend and noise, generated;
            - the path of a CSV file with a header, a column of dates and a column of
              numbers for each series; or of the long form, with the columns
              `unique_id`, `ds` and `y` and a row for each series and date.
        targets: List of the columns to forecast. All numeric ones by default; of the
            long form `y`, if there is one.
        covariates: List of columns that are only read.
        date_column: Name of the column of dates, or `"none"` to take the rows as
            equally spaced. By default one that is called so, or the first that holds
            a date.
        date_format: Its format, as for `datetime.datetime.strptime`; ISO by default.
        fill: What missing values become: `"forward"`, the value before; `"linear"`, a
            line between the neighbors, at the ends the nearest value. By default they
            are refused.
        clock: For dates with offsets from UTC, `"utc"` or `"local"`, their own clock.
            By default their own if all offsets are equal, or if the rows are days or
            months apart on it; else UTC.
        seed: Integer. Seed of what is generated.

    Returns:
        A `TimeSeries`.

    Raises:
        ValueError: naming file and line, for lines of unequal length, cells that are
            no numbers or no dates, missing values, and dates that do not ascend, are
            there twice or not equally spaced.

    Example:
        >>> series = kerasseq.data.load_time_series()
        >>> series.columns, series.frequency, series.series[0].values.shape
        (['load', 'heat', 'visits'], ('minute', 60), (8760, 3))
    """
    if fill not in _series_numbers.FILLS:
        raise ValueError(
            f"`fill` must be one of {_series_numbers.FILLS}. Received: fill={fill!r}"
        )
    if clock not in CLOCKS:
        raise ValueError(f"`clock` must be one of {CLOCKS}. Received: clock={clock!r}")
    if data == "synthetic":
        return _generated(targets, covariates, seed)
    if not pathlib.Path(data).is_file():
        raise ValueError(
            f"There is no file {str(data)!r}; `data` is 'synthetic' or the path of a "
            "CSV file"
        )
    table = _series_files.read_table(data)
    of_id = _series_files.find(table, _series_files.LONG[0])
    if of_id is not None and date_column is None:
        date_column = _series_files.find(table, _series_files.LONG[1])
    date_column = _series_files.date_column(table, date_column)
    default, notes = targets, []
    if not targets:
        default, notes = _series_files.default_targets(
            table, covariates, of_id, date_column
        )
    columns, num_targets = _chosen(table, default, targets, covariates)
    tables = {"": table} if of_id is None else _series_files.by_id(table, of_id)
    dates, clock, on_clock = _dates(tables, date_column, date_format, clock)
    advice = "" if targets else "; or name the columns to forecast with `targets`"
    series, frequency = _of_tables(tables, dates, columns, fill, advice)
    notes = notes + on_clock + _series_numbers.thousands(table, columns)
    notes += _series_numbers.filled(table, columns)
    notes += _series_numbers.indistinct(columns, [one.values for one in series])
    return TimeSeries(str(data), columns, num_targets, frequency, series, clock, notes)


def _generated(targets, covariates, seed):
    names, dates, values = _generated_series.generate(seed)
    table = _series_files.Table("synthetic", [*names], [], [])
    columns, num_targets = _chosen(table, names, targets, covariates)
    values = values[:, [names.index(name) for name in columns]]
    frequency = _generated_series.FREQUENCY
    series = [Series("", dates, values)]
    return TimeSeries("synthetic", columns, num_targets, frequency, series)


def _chosen(table, default, targets, covariates):
    """Names of the columns, targets first, and the number of targets."""
    covariates = _series_files.columns(table, covariates, "covariates")
    if not targets:
        targets = [name for name in default if name not in covariates]
    targets = _series_files.columns(table, targets, "targets")
    if not targets or {*targets} & {*covariates}:
        raise ValueError(
            f"{table.where}: there must be a column of numbers to forecast, and none "
            "that is both; choose them with `targets` and `covariates`. Received: "
            f"targets={','.join(targets)}, covariates={','.join(covariates)}"
        )
    return targets + covariates, len(targets)


def _dates(tables, column, date_format, clock):
    """The dates of each table, the clock that they are on, and sentences about it."""
    if column is None:
        return [None] * len(tables), None, []
    tables = list(tables.values())
    moments = [_series_moments.parse(table, column, date_format) for table in tables]
    clock = clock or _series_moments.choose_clock(tables, moments)
    dates = [x.on(clock) for x in moments]
    return dates, clock, _series_moments.clock_note(moments, clock)


def _of_tables(tables, all_dates, columns, fill, advice):
    """The series and their frequency."""
    found, first = [], None
    for (name, table), dates in zip(tables.items(), all_dates, strict=True):
        frequency = None
        if dates is not None:
            frequency = _series_dates.frequency(dates, table.lines, table.where)
        first = frequency if first is None else first
        if frequency != first:
            raise ValueError(
                f"{table.where}, line {table.lines[1]}: all series must have the same "
                "frequency; leave others out, or train another model for them. "
                f"Received: {name!r} with rows {frequency} apart, others {first}"
            )
        values = _series_numbers.numbers(table, columns, fill, advice)
        found.append(Series(name, dates, values))
    return found, first


def split_borders(length, split=(0.7, 0.1, 0.2)):
    """Where the parts of a series begin and end.

    Args:
        length: Integer. Rows of the series.
        split: Three numbers, of training, validation and test: fractions with a sum of
            1, or counts of rows with a sum of at most `length`. Later rows are not
            used then.

    Returns:
        A dict of pairs `(begin, end)`: `train`, `validation` and `test`.

    Raises:
        ValueError: for other numbers.

    Example:
        >>> split_borders(100)
        {'train': (0, 70), 'validation': (70, 80), 'test': (80, 100)}
    """
    parts = [float(part) for part in split]
    if len(parts) != 3 or min(parts) <= 0:
        raise _bad_split(split, length)
    if sum(parts) <= 1 + 1e-6:
        if sum(parts) < 1 - 1e-6:
            raise _bad_split(split, length)
        train, test = int(length * parts[0] + 1e-6), int(length * parts[2] + 1e-6)
        counts = [train, length - train - test, test]
    else:
        counts = [int(part) for part in parts]
    if counts != parts and sum(parts) > 1 + 1e-6 or sum(counts) > length:
        raise _bad_split(split, length)
    first, second, third = np.cumsum(counts).tolist()
    return {"train": (0, first), "validation": (first, second), "test": (second, third)}


def _bad_split(split, length):
    return ValueError(
        "`split` must be three numbers above 0, for training, validation and test: "
        "fractions with a sum of 1, such as 0.7,0.1,0.2, or counts of rows. Received: "
        f"split={','.join(map(str, split))} for a series of {length} rows"
    )
