"""Reads series from CSV files: a column for each, or the long form with a column y."""

import collections
import typing

from kerasseq.data import _series_numbers, _table_files
from kerasseq.lite import calendar

DATES = ("date", "ds", "time", "timestamp", "datetime")
LONG = ("unique_id", "ds", "y")


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
    found = _table_files.comma_rows(path, "or a CSV file of series", _delimiter)
    found = [(line, row) for line, row in found if any(cell.strip() for cell in row)]
    numbers, rows = [line for line, _ in found], [row for _, row in found]
    _check_rows(rows, numbers, path)
    header = [cell.strip() or f"column {k}" for k, cell in enumerate(rows[0], 1)]
    _check_header(header, f"{path}, line {numbers[0]}")
    return Table(str(path), header, rows[1:], numbers[1:])


def _delimiter(line):
    """The most frequent one: names of columns hold others, as in `Price, EUR`."""
    return max(_table_files.DELIMITERS, key=line.count)


def _check_rows(rows, numbers, path):
    """Refuses rows that are not as long as the header, and files of too few."""
    for row, line in zip(rows, numbers, strict=True):
        if len(row) != len(rows[0]):
            raise ValueError(
                f"{path}, line {line}: every line must have the {len(rows[0])} cells "
                f"of the header in line {numbers[0]}; quote cells that hold its "
                "delimiter, and remove lines above the header. "
                f"Received: {len(row)} cells"
            )
    if len(rows) < 3:
        raise ValueError(
            f"{path}: a series has at least two rows below the header. "
            f"Received: {max(len(rows) - 1, 0)}"
        )


def _check_header(header, place):
    # A year may be the name of a column, a day is in the place of one.
    if all(map(_series_numbers.is_number, header)) or any(map(_is_day, header)):
        raise ValueError(
            f"{place}: the first line must name the columns. "
            f"Received: {', '.join(header[:4])}"
        )
    twice = [name for name, k in collections.Counter(header).items() if k > 1]
    if twice:
        raise ValueError(
            f"{place}: every column needs a name of its own. Received twice: {twice}"
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
    found = named or [name for name in cells if _is_day(cells[name])]
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


def _is_day(text):
    """Whether a text is a date, and no number."""
    try:
        calendar.as_date(text)
    except ValueError:
        return False
    return not _series_numbers.is_number(text)


def find(table, name):
    """The column that is called so, in capitals or not; `None` if there is none."""
    return next((x for x in table.header if x.lower() == name), None)


def default_targets(table, covariates, id_column, date_column):
    """The columns to forecast if none are named.

    Args:
        table: A `Table`.
        covariates: List of columns that are only read.
        id_column: Name of the column that names the series, or `None`.
        date_column: Name of the column of dates, or `None`.

    Returns:
        A list of names, and a list of sentences, of what is left out.
    """
    used = {id_column, date_column, *covariates}
    free = [name for name in table.header if name not in used]
    of_y = find(table, LONG[2])
    if id_column is not None and of_y in free:
        rest = [name for name in free if name != of_y]
        return [of_y], _left_out(f"beside {', '.join(LONG)}", rest)
    index = [name for name in free if _series_numbers.is_index(table, name)]
    if date_column is None:  # a count in the place of dates
        index += [name for name in free if name.lower() in DATES]
    numeric = [x for x in _series_numbers.numeric(table) if x in free]
    found = [name for name in numeric if name not in index]
    rest = [name for name in free if name not in (*found, *index)]
    notes = _left_out("of row numbers or dates", index)
    return found, notes + _left_out("without numbers", rest)


def _left_out(kind, names):
    return [f"columns {kind}, left out: {', '.join(names)}"] if names else []


def by_id(table, column):
    """The tables of the series of the long form, `{id: Table}`, in their order.

    Args:
        table: A `Table`.
        column: Name of the column that names the series.

    Raises:
        ValueError: for a row without a name, or a series of a single row.
    """
    places = collections.defaultdict(list)
    for index, name in enumerate(table.cells(column)):
        if not name.strip():
            raise ValueError(
                f"{table.where}, line {table.lines[index]}: every row must name its "
                f"series in the column {column}. Received: {name!r}"
            )
        places[name.strip()].append(index)
    for name, indices in places.items():
        if len(indices) < 2:
            raise ValueError(
                f"{table.where}, line {table.lines[indices[0]]}: a series has at least "
                f"two rows; remove it. Received: one row of {column} {name!r}"
            )
    return {name: table.of_rows(indices) for name, indices in places.items()}
