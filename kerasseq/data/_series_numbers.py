"""The numbers of a table of series: which columns hold some, and their values."""

import math
import re

import numpy as np

FILLS = (None, "forward", "linear")
_MISSING = {"", "nan", "na", "n/a", "null", "none", "?", "-"}
# Numbers for people: decimal commas, thousands, currencies, percent.
_SIGN = r"\s?([€$£¥₹%‰]|EUR|USD|GBP|CHF|JPY)?\s?"
_DIGITS = r"(\d{1,3}([.,'’\s]\d{3})+|\d+)([.,]\d+)?"
_WRITTEN = re.compile(rf"[-+(]?{_SIGN}[-+]?{_DIGITS}{_SIGN}\)?")
_GROUPED = re.compile(r"[1-9]\d{0,2}\.\d{3}")
# How pandas or a missing name calls the column of its row numbers.
_INDEX = ("column 1", "Unnamed: 0")


def numeric(table):
    """Names of the columns that hold numbers, or are meant to.

    Those are columns whose first cell with content is a number, or half of whose cells
    look like numbers: a cell with a decimal comma or a sign is then told by `numbers`
    instead of the column being left out.
    """
    return [name for name in table.header if _is_numeric(table.cells(name))]


def _is_numeric(cells):
    content = [x.strip() for x in cells if x.strip().lower() not in _MISSING]
    if not content or is_number(content[0]):
        return bool(content)
    alike = sum(is_number(x) or bool(_WRITTEN.fullmatch(x)) for x in content)
    return 2 * alike >= len(content)


def is_index(table, name):
    """Whether a column is but the number of the row, as pandas writes it."""
    if name not in _INDEX or name != table.header[0]:
        return False
    first, *_ = cells = table.cells(name)
    start = int(first) if first.isdecimal() else 0
    return cells == [str(start + k) for k in range(len(cells))]


def thousands(table, names):
    """Sentences about columns whose points may be meant to group thousands.

    All numbers with a point have three digits after it there, and are smaller than
    those without one.
    """
    found = []
    for name in names:
        cells = [x.strip() for x in table.cells(name) if is_number(x)]
        plain = [float(x) for x in cells if x.isdecimal()]
        pointed = [x for x in cells if _GROUPED.fullmatch(x)]
        if not pointed or not plain or len(plain) + len(pointed) < len(cells):
            continue
        if max(map(float, pointed)) < min(plain) and min(plain) >= 100:
            found.append(f"column {name}: {pointed[0]} is read with a decimal point")
    return found


def indistinct(names, values):
    """Sentences about columns whose numbers float32, of models and files, cannot tell.

    Args:
        names: Names of the columns.
        values: List of float64 arrays `(num_rows, num_columns)`.
    """
    found, values = [], np.concatenate(values)
    for name, column in zip(names, values.T, strict=True):
        before, after = len(np.unique(column)), len(np.unique(column.astype("float32")))
        if after < 0.9 * before:
            found.append(
                f"column {name}: of {before:,} different values float32 tells {after:,}"
                " apart; subtract a constant, or forecast the differences"
            )
    return found


def filled(table, names):
    """Sentences about columns with missing values, which were filled."""
    found = []
    for name in names:
        cells = table.cells(name)
        count = sum(cell.strip().lower() in _MISSING for cell in cells)
        if count:
            found.append(f"column {name}: {count:,} of {len(cells):,} values filled")
    return found


def numbers(table, names, fill=None, advice=""):
    """The values of columns.

    Args:
        table: A `Table`, of one series.
        names: Names of columns.
        fill: What a missing value becomes: `"forward"`, the value before; `"linear"`,
            a line between its neighbors, at the ends the nearest value; `None`: it is
            refused.
        advice: What else to do about a cell that is no number, for the message.

    Returns:
        float64 array `(num_rows, num_columns)`.

    Raises:
        ValueError: naming file, line and column, for a cell that is no number.
    """
    found = [_column(table, name, fill, advice) for name in names]
    return np.stack(found, axis=-1)


def _column(table, name, fill, advice):
    cells = table.cells(name)
    values = np.empty(len(cells))
    for index, cell in enumerate(cells):
        text = cell.strip()
        values[index] = math.nan if text.lower() in _MISSING else _number(text)
        if math.isinf(values[index]):
            raise ValueError(
                f"{table.where}, line {table.lines[index]}, column {name!r}: no finite "
                "number; write numbers with a decimal point, without thousands "
                "separators, currencies and percent signs, and leave missing ones "
                f"empty{advice}. Received: {cell[:40]!r}"
            )
    missing = np.isnan(values)
    return values if not missing.any() else _filled(values, missing, table, name, fill)


def _filled(values, missing, table, name, fill):
    first = int(np.argmax(missing))
    place = f"{table.where}, line {table.lines[first]}, column {name!r}"
    received = f"{table.cells(name)[first]!r}, fill={fill}, {missing.sum()} missing"
    if missing.all():
        raise ValueError(
            f"{place}: there is no value in all {len(values)} rows, to fill the others "
            f"from; leave the column or the rows out. Received: {received}"
        )
    if fill is None:
        raise ValueError(
            f"{place}: a missing value; fill it, or ask for `fill=forward` (the value "
            "before) or `fill=linear` (between its neighbors). "
            f"Received: {received} of {len(values)}"
        )
    if fill == "forward" and missing[0]:
        raise ValueError(
            f"{place}: a missing value without one before it; remove the rows before "
            "the first value, or ask for `fill=linear`, which begins with it. "
            f"Received: {received} of {len(values)}"
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


def is_number(text):
    """Whether a cell is a finite number."""
    return math.isfinite(_number(text))
