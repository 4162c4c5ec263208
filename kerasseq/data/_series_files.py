"""Reads series from CSV files: a column for each, or the long form with a column y."""

import collections
import csv
import math
import typing

import numpy as np

from kerasseq.data import _series_dates, _text_files
from kerasseq.lite import calendar

DATES = ("date", "ds", "time", "timestamp", "datetime")
LONG = ("unique_id", "ds", "y")
FILLS = (None, "forward", "linear")
_MISSING = {"", "nan", "na", "n/a", "null", "none", "?", "-"}


class Table(typing.NamedTuple):
    """The cells of a CSV file.

    Args:
        where: Name of the file, for messages.
        header: List of names.
        rows: List of lists of strings, of the header's length.
        lines: List of the rows' lines in the file.
    """

    where: str
    header: list
    rows: list
    lines: list

    def cells(self, name):
        place = self.header.index(name)
        return [row[place] for row in self.rows]

    def of_rows(self, indices):
        rows = [self.rows[index] for index in indices]
        return self._replace(rows=rows, lines=[self.lines[index] for index in indices])


def read_table(path):
    """Reads a CSV file with a header; its delimiter is `,`, `;` or a tab.

    Args:
        path: Path of the file.

    Returns:
        A `Table`.

    Raises:
        ValueError: naming file and line, for what is no table.
    """
    lines = _text_files.read_text(path, "or a CSV file of series").split("\n")
    delimiter = max(",;\t", key=lines[0].count)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows, numbers = [], []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
                numbers.append(reader.line_num)
    except csv.Error as error:
        line = reader.line_num
        raise ValueError(f"{path}, line {line}: no CSV. Received: {error}") from error
    header = [cell.strip() or f"column {k}" for k, cell in enumerate(rows[0], 1)]
    _check_header(header, path)
    for row, line in zip(rows, numbers, strict=True):
        if len(row) != len(header):
            raise ValueError(
                f"{path}, line {line}: every line must have the {len(header)} cells of "
                f"the header, separated by {delimiter!r}; quote cells that hold it. "
                f"Received: {len(row)} cells"
            )
    if len(rows) < 3:
        raise ValueError(
            f"{path}: a series has at least two rows below the header. "
            f"Received: {len(rows) - 1}"
        )
    return Table(str(path), header, rows[1:], numbers[1:])


def _check_header(header, path):
    if all(_is_number(name) or _is_date(name) for name in header):
        raise ValueError(
            f"{path}, line 1: the first line must name the columns. "
            f"Received: {', '.join(header[:4])}"
        )
    twice = [name for name, k in collections.Counter(header).items() if k > 1]
    if twice:
        raise ValueError(
            f"{path}, line 1: every column needs a name of its own. "
            f"Received twice: {twice}"
        )


def date_column(table, given=None):
    """The name of the column of dates; `None` if it is said that there is none.

    Args:
        table: A `Table`.
        given: Its name, `"none"`, or `None` to look for it.

    Raises:
        ValueError: if there is no such column.
    """
    if given == "none" and given not in table.header:
        return None
    if given is not None:
        return columns(table, [given], "date_column")[0]
    named = [name for name in table.header if name.lower() in DATES]
    cells = dict(zip(table.header, table.rows[0], strict=True))
    found = named or [x for x in cells if _is_date(cells[x]) and not _is_number(x)]
    found = [x for x in found if named or not _is_number(cells[x])]
    if not found:
        raise ValueError(
            f"{table.where}: there is no column of dates; name it with `date_column`, "
            "or say `date_column=none` to take the rows as equally spaced. Received: "
            f"columns {', '.join(table.header)}"
        )
    return found[0]


def columns(table, names, argument):
    """Names of columns, checked.

    Raises:
        ValueError: if one is not there, or there twice.
    """
    missing = [name for name in names if name not in table.header]
    if missing or len(set(names)) < len(names):
        raise ValueError(
            f"{table.where}: `{argument}` must name columns, each once, out of "
            f"{', '.join(table.header)}. Received: {argument}={','.join(names)}"
        )
    return list(names)


def numeric(table):
    """Names of the columns whose first cell with content is a number."""
    return [name for name in table.header if _is_numeric(table.cells(name))]


def _is_numeric(cells):
    first = next((x for x in cells if x.strip().lower() not in _MISSING), "x")
    return _is_number(first)


def numbers(table, names, fill=None):
    """The values of columns.

    Args:
        table: A `Table`, of one series.
        names: Names of columns.
        fill: What a missing value becomes: `"forward"`, the value before; `"linear"`,
            a line between its neighbors; `None`: it is refused.

    Returns:
        float64 array `(num_rows, num_columns)`.

    Raises:
        ValueError: naming file, line and column, for a cell that is no number.
    """
    found = [_column(table, name, fill) for name in names]
    return np.stack(found, axis=-1)


def _column(table, name, fill):
    cells = table.cells(name)
    values = np.empty(len(cells))
    for index, cell in enumerate(cells):
        text = cell.strip()
        values[index] = math.nan if text.lower() in _MISSING else _number(text)
        if math.isinf(values[index]):
            raise ValueError(
                f"{table.where}, line {table.lines[index]}, column {name!r}: no finite "
                "number; write numbers with a decimal point and without thousands "
                "separators, or leave the column out of `targets` and `covariates`. "
                f"Received: {cell[:40]!r}"
            )
    missing = np.isnan(values)
    return values if not missing.any() else _filled(values, missing, table, name, fill)


def _filled(values, missing, table, name, fill):
    first = int(np.argmax(missing))
    if fill is None or missing.all() or (fill == "forward" and not first):
        line = table.lines[first]
        raise ValueError(
            f"{table.where}, line {line}, column {name!r}: a missing value; fill it, "
            "or ask for `fill=forward` (the value before) or `fill=linear` (between "
            f"its neighbors). Received: {table.cells(name)[first]!r}, fill={fill}, "
            f"{missing.sum()} missing of {len(values)}"
        )
    places = np.arange(len(values))
    if fill == "forward":
        return values[np.maximum.accumulate(np.where(missing, 0, places))]
    return np.interp(places, places[~missing], values[~missing])


def _number(text):
    """The number of a cell, infinity if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.inf


def _is_number(text):
    return math.isfinite(_number(text))


def _is_date(text):
    try:
        calendar.as_date(text)
    except ValueError:
        return False
    return True


def dates(table, name, date_format):
    """Dates and frequency of a table of one series; `(None, None)` without a column.

    Raises:
        ValueError: naming the line, for what is no date or not regular.
    """
    if name is None:
        return None, None
    found = _series_dates.parse(
        table.cells(name), table.lines, table.where, date_format
    )
    return found, _series_dates.frequency(found, table.lines, table.where)


def by_id(table):
    """The tables of the series of the long form, `{id: Table}`, in their order.

    Raises:
        ValueError: for a series of a single row.
    """
    places = collections.defaultdict(list)
    for index, name in enumerate(table.cells(LONG[0])):
        places[name.strip()].append(index)
    for name, indices in places.items():
        if len(indices) < 2:
            raise ValueError(
                f"{table.where}, line {table.lines[indices[0]]}: a series has at least "
                f"two rows; remove it. Received: one row of unique_id {name!r}"
            )
    return {name: table.of_rows(indices) for name, indices in places.items()}
