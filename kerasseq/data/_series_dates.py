"""The dates of a series: checked to be regular, and how far apart they are."""

import typing

import numpy as np

from kerasseq.lite import calendar

MONTH = 28 * 86400  # seconds: steps of so many may be months
_UNITS = (("day", 86400), ("minute", 60), ("second", 1))


class Frequency(typing.NamedTuple):
    """How far apart the dates of a series are.

    Args:
        unit: A key of `kerasseq.lite.calendar.UNITS`.
        step: Integer, how many of them.
    """

    unit: str
    step: int

    def __str__(self):
        unit, step = self
        if unit == "minute" and step % 60 == 0:
            unit, step = "hour", step // 60
        return f"{step} {unit}{'s' if step > 1 else ''}"


def check_order(dates, lines, where):
    """Refuses dates that do not ascend.

    Raises:
        ValueError: naming the line.
    """
    steps = np.diff(dates).astype("int64")
    if (steps > 0).all():
        return
    bad = int(np.argmax(steps <= 0)) + 1
    if (np.diff(np.sort(dates)).astype("int64") == 0).any() and not steps[bad - 1]:
        raise ValueError(
            f"{where}, line {lines[bad]}: its date is that of line {lines[bad - 1]}; "
            "keep one of them, or their mean. Dates are read to the second, from one "
            "column: join a column of times to it; with several series in one file, "
            f"name each in a column unique_id. Received: {dates[bad]}"
        )
    raise ValueError(
        f"{where}, line {lines[bad]}: dates must ascend; sort the file by them. "
        f"Received: {dates[bad]} after {dates[bad - 1]}"
    )


def frequency(dates, lines, where):
    """The frequency of dates that ascend in equal steps.

    Args:
        dates: `datetime64[s]` array, at least two.
        lines: Their lines in the file.
        where: Name of the file, for the message.

    Returns:
        A `Frequency`.

    Raises:
        ValueError: naming the line of the first date that is too early or too late.
    """
    check_order(dates, lines, where)
    seconds = np.diff(dates).astype("int64")
    usual = _most_frequent(seconds)
    if usual >= MONTH and _keep_their_day(dates):
        months = np.diff(dates.astype("datetime64[M]")).astype("int64")
        step = _most_frequent(months)
        _check_steps(months, step, dates, lines, where, Frequency("month", step))
        return Frequency("month", step)
    unit, size = next(pair for pair in _UNITS if usual % pair[1] == 0)
    found = Frequency(unit, usual // size)
    _check_steps(seconds, usual, dates, lines, where, found)
    return found


def _most_frequent(steps):
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()])


def _keep_their_day(dates):
    """Whether all dates are of one day of the month, or of its end, and of one time."""
    days = dates.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    day = (days - months.astype("datetime64[D]")).astype("int64")
    at_end = day + 1 == calendar.month_lengths(months)
    one_time = len(np.unique(dates - days)) == 1
    return one_time and bool(at_end.all() or (at_end | (day == day.max())).all())


def _check_steps(steps, usual, dates, lines, where, found):
    if (steps == usual).all():
        return
    bad = int(np.argmax(steps != usual)) + 1
    raise ValueError(
        f"{where}, line {lines[bad]}: dates must be equally spaced, {found} apart as "
        "most are here; add the rows that are missing (`fill` can fill their empty "
        "cells), or say `date_column=none` to take the rows as equally spaced. "
        f"Received: {dates[bad]} after {dates[bad - 1]}"
    )
