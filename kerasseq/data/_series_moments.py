"""Dates as they are written, with offsets from UTC, and the clock they are read on."""

import datetime
import re
import typing

import numpy as np

from kerasseq.data import _series_dates
from kerasseq.lite import calendar

_NUMBER = re.compile(r"\d+(\.\d*)?")


class Moments(typing.NamedTuple):
    """Dates as they are written.

    Args:
        local: `datetime64[s]` array, without the offsets.
        offsets: `timedelta64[s]` array, how far they are ahead of UTC; `NaT` for none.
    """

    local: np.ndarray
    offsets: np.ndarray

    def on(self, clock):
        """The dates on a clock, `"utc"` or another for that of each date."""
        if clock != "utc" or np.isnat(self.offsets).any():
            return self.local
        return self.local - self.offsets


def parse(table, name, date_format=None):
    """Dates of a column.

    Args:
        table: A `_series_files.Table`.
        name: Name of the column.
        date_format: Format of `datetime.datetime.strptime`; ISO by default.

    Returns:
        `Moments`.

    Raises:
        ValueError: naming the line of a cell that is no date, or has an offset where
            the others have none.
    """
    cells = [cell.strip() for cell in table.cells(name)]
    local = np.empty(len(cells), "datetime64[s]")
    offsets = np.full(len(cells), "NaT", "timedelta64[s]")
    for index, cell in enumerate(cells):
        try:
            moment = _moment(cell, date_format)
        except ValueError as error:
            form = date_format or "2016-07-01 12:00"
            raise ValueError(
                f"{table.where}, line {table.lines[index]}: no date of the form "
                f"{form}; {_advice(cell, name)}. Received: {cell[:40]!r}"
            ) from error
        local[index] = moment.replace(tzinfo=None)
        if moment.tzinfo is not None:
            offsets[index] = moment.utcoffset()
    bare = np.isnat(offsets)
    if bare.any() and not bare.all():
        index = int(np.argmax(bare != bare[0]))
        raise ValueError(
            f"{table.where}, line {table.lines[index]}: all dates must have an offset "
            f"from UTC, or none. Received: {cells[index]!r}, and {cells[0]!r} in line "
            f"{table.lines[0]}"
        )
    return Moments(local, offsets)


def _moment(cell, date_format):
    if date_format is None:
        return calendar.from_text(cell)
    return datetime.datetime.strptime(cell, date_format)


def _advice(cell, name):
    """What to do about a cell that is no date."""
    if not _NUMBER.fullmatch(cell):
        return (
            "say which it is with `date_format`, as '%d.%m.%Y %H:%M', or name another "
            "column with `date_column`"
        )
    size = len(cell.partition(".")[0])
    kind, unit = ("seconds", "'s'") if size < 12 else ("milliseconds", "'ms'")
    kind = f"Unix {kind}"
    if size == 5:
        kind, unit = "days of Excel", "'D', origin='1899-12-30'"
    return (
        "a bare number is one only as 2016 or 20160701. If it counts rows, say "
        "`date_column=none`; else give its form with `date_format`, as '%y%m%d', or "
        f"convert it: {kind} with pandas by "
        f"table[{name!r}] = pandas.to_datetime(table[{name!r}], unit={unit})"
    )


def choose_clock(tables, moments):
    """The clock that all series of a file are read on.

    Their own clock if all are the same hours ahead of UTC; or if they are days or
    months apart on it, whatever a summer time does to their offsets; else UTC.

    Args:
        tables: List of `_series_files.Table`.
        moments: List of their `Moments`.

    Returns:
        `"local"`, `"utc"`, or `None` for dates without offsets.
    """
    offsets = np.unique(np.concatenate([x.offsets for x in moments]))
    if np.isnat(offsets).any():
        return None
    if len(offsets) == 1:
        return "local" if offsets[0] else "utc"
    pairs = zip(tables, moments, strict=True)
    return "local" if all(_by_days(table, x.local) for table, x in pairs) else "utc"


def _by_days(table, dates):
    try:
        unit, _ = _series_dates.frequency(dates, table.lines, table.where)
    except ValueError:
        return False
    return unit in ("day", "month")


def clock_note(moments, clock):
    """What a reader of the dates must know about their clock, a list of sentences."""
    offsets = np.unique(np.concatenate([x.offsets for x in moments]))
    if np.isnat(offsets).any():
        return ["dates have no offset from UTC: taken as UTC"] * (clock == "utc")
    if not offsets.astype("int64").any():
        return []
    shown = ", ".join(_shown(x) for x in offsets.astype("int64")[:3].tolist())
    if clock == "utc":
        return [f"dates are in UTC; their offsets are {shown}"]
    return [f"dates are on their own clock, without the offset from UTC ({shown})"]


def _shown(seconds):
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
