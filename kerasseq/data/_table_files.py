"""Reads the rows of TSV and CSV files, as programs and spreadsheets write them."""

import csv
import io
import re

from kerasseq.data import _text_files
from kerasseq.utils import stages

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_SEPARATOR = re.compile(r"\s*sep=([,;\t])\s*?\n", re.IGNORECASE)  # of Excel
DELIMITERS = ",;\t"


def tab_rows(path, kinds):
    """Reads the cells of each line, parted by tabs.

    Quotes that Excel or pandas put around a cell are taken off, and so said: those of a
    cell with `""` inside; of others only if no cell of the file has a quote otherwise.
    A quoted cell may go on in the next line where all rows then have as many cells.

    Args:
        path: Path of the file.
        kinds: As of `_text_files.read_text`.

    Returns:
        A list of `(line, cells)`: the line on which a row begins, blank ones too.

    Raises:
        ValueError: If the file cannot be read.
    """
    lines = _text_files.read_lines(path, kinds)
    rows = [(number, line.split("\t")) for number, line in enumerate(lines, 1)]
    if not _are_even(rows):
        quoted = _rows_of_several_lines("\n".join(lines))
        if quoted is not None:
            count = len(rows) - len(quoted)
            text = "%r: %d line(s) go on with the quoted cell of the line before"
            stages.LOGGER.warning(text, str(path), count)
            return quoted
    found = {cell for _, cells in rows for cell in cells if '"' in cell}
    quoted = {cell for cell in found if _QUOTED.fullmatch(cell)}
    if quoted != found:  # elsewhere a quote is a sign of the text
        quoted = {cell for cell in quoted if '""' in cell[1:-1]}
    if not quoted:
        return rows
    plain = {cell: cell[1:-1].replace('""', '"') for cell in quoted}
    count = sum(cell in plain for _, cells in rows for cell in cells)
    stages.LOGGER.warning(
        "%r: %d cell(s) stood in quotes, which were taken off", str(path), count
    )
    return [(number, [plain.get(x, x) for x in cells]) for number, cells in rows]


def _are_even(rows):
    """Whether all rows that are not blank have as many cells."""
    return len({len(cells) for _, cells in rows if "".join(cells).strip()}) <= 1


def _rows_of_several_lines(text):
    """Rows with cells of several lines; `None` if it does not make the rows even."""
    try:
        rows = [(line, cells or [""]) for line, cells in _csv_rows(text, "\t")]
    except csv.Error:
        return None
    # A cell with lines and tabs is what lies between two quotes that are no pair.
    is_sound = not any("\n" in x and "\t" in x for _, cells in rows for x in cells)
    return rows if is_sound and _are_even(rows) else None


def tell_header(path, number, cells):
    """Says that a line was taken for the names of columns."""
    shown = ", ".join(cells)
    stages.LOGGER.warning(
        "%r, line %d: taken for the names of the columns: %s", str(path), number, shown
    )


def comma_rows(path, kinds, choose=None):
    """Reads the rows of a CSV file.

    The first line tells what parts the cells, also by `sep=;`, as Excel writes it.

    Args:
        path: Path of the file.
        kinds: As of `_text_files.read_text`.
        choose: Function that returns the delimiter for the first line, from which
            quoted cells are removed. By default commas, or else semicolons, as a German
            Excel writes them, or tabs: a text without quotes may hold the others.

    Returns:
        A list of `(line, cells)`: the line on which a row begins. Blank lines are none.

    Raises:
        ValueError: naming file and line.
    """
    text = _text_files.read_text(path, kinds)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    if said := _SEPARATOR.match(text):
        delimiter = said[1]
        text = "\n" * said[0].count("\n") + text[said.end() :]
    else:
        first = _QUOTED.sub("", text.lstrip().partition("\n")[0])
        delimiter = (choose or _first_delimiter)(first)
    try:
        return [row for row in _csv_rows(text, delimiter) if row[1]]
    except csv.Error as error:
        line, reason = error.args
        raise ValueError(
            f"{str(path)!r}, line {line}: no CSV from here on ({reason}); put a cell "
            'with commas, quotes or line ends between quotes, and write " in it twice'
        ) from error


def _csv_rows(text, delimiter):
    """Yields rows as `(first line, cells)`; an error has the line and the reason."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begin = 1
    before = csv.field_size_limit(len(text) + 1)  # that of the process, 131,072
    try:
        for cells in reader:
            yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(begin, error) from error
    finally:
        csv.field_size_limit(before)


def _first_delimiter(line):
    return next((x for x in DELIMITERS if x in line), ",")
