"""Dates of a series as whole numbers, as an exported forecaster takes them."""

import datetime
import re
from typing import Any, cast

import numpy as np

_YEAR, _MONTH = re.compile(r"[12]\d{3}"), re.compile(r"\d{4}-\d\d")
_NUMBER, _DAY = re.compile(r"[\d.]+"), re.compile(r"[1-9]\d{7}")
# Name of a unit: NumPy's code.
UNITS = {"second": "s", "minute": "m", "day": "D", "month": "M"}


def as_date(value: Any, clock: str = "utc") -> np.datetime64:
    """A date as NumPy's, to the second.

    Args:
        value: A string in ISO form, `"2016-07-01 12:00"`, a `datetime.datetime` or
            `datetime.date`, or a `numpy.datetime64`. A bare number in a string is a
            date only of the form `"2016"`, a year from 1000 to 2999, or `"20160701"`.
        clock: What a date with an offset from UTC becomes: `"utc"`, the date of UTC;
            `"local"`, that of its own clock, without the offset.

    Raises:
        ValueError: If it is no date.
    """
    try:
        if isinstance(value, str):
            value = from_text(value.strip())
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            if clock == "utc":
                value = value.astimezone(datetime.UTC)
            value = value.replace(tzinfo=None)
        if not isinstance(value, (datetime.date, np.datetime64)):
            raise TypeError(value)  # NumPy takes a number for seconds since 1970
        found = np.datetime64(cast(Any, value), "s")
    except (ValueError, TypeError, OverflowError) as error:
        raise _no_date(value) from error
    if np.isnat(found):
        raise _no_date(value)
    return found


def from_text(text: str) -> datetime.datetime:
    """A date from its ISO form, with its offset if it has one.

    Raises:
        ValueError: If it is no date.
    """
    if _MONTH.fullmatch(text):
        return datetime.datetime.fromisoformat(f"{text}-01")
    if _YEAR.fullmatch(text):
        return datetime.datetime.fromisoformat(f"{text}-01-01")
    if _NUMBER.fullmatch(text) and not _DAY.fullmatch(text):
        raise ValueError(text)  # Python finds dates in numbers of some lengths
    return datetime.datetime.fromisoformat(text)


def _no_date(value):
    text = isinstance(value, str) and _NUMBER.fullmatch(value)
    number = text or isinstance(value, (int, float, np.number))
    advice = "; of Unix seconds make one with numpy.datetime64(seconds, 's')"
    return ValueError(
        "A date is written as 2016-07-01, or with a time as 2016-07-01 12:00"
        f"{advice if number else ''}. Received: {value!r}"
    )


def count(date: np.datetime64 | np.ndarray, unit: str) -> np.ndarray:
    """How many whole units have passed since the beginning of 1970.

    Args:
        date: A date or an array of them.
        unit: A key of `UNITS`.

    Returns:
        int64, of the shape of `date`.
    """
    return np.asarray(date).astype(f"datetime64[{UNITS[unit]}]").astype("int64")


def dates_after(last: np.datetime64, unit: str, step: int, num: int) -> np.ndarray:
    """The dates that follow a date in a regular series.

    Args:
        last: The date.
        unit: A key of `UNITS`.
        step: Units from one date to the next.
        num: How many dates.

    Returns:
        `datetime64[s]` array `(num,)`. Steps of months keep the day, or its place at
        the end of the month.
    """
    steps = step * np.arange(1, num + 1)
    if unit != "month":
        return last + steps.astype(f"timedelta64[{UNITS[unit]}]")
    month = last.astype("datetime64[M]")
    day, of_day = _day_of_month(last), last - last.astype("datetime64[D]")
    length = month_lengths(month + steps)
    days = np.where(day + 1 == month_lengths(month), length - 1, day)
    days = np.minimum(days, length - 1)
    return (month + steps).astype("datetime64[D]") + days + of_day


def month_lengths(months: np.ndarray) -> np.ndarray:
    """Numbers of days of months, `datetime64[M]`."""
    days = (months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")
    return days.astype("int64")


def _day_of_month(date):
    """From 0 on."""
    days = date.astype("datetime64[D]") - date.astype("datetime64[M]")
    return days.astype("int64")
