"""Reads labeled texts from TSV, CSV and JSON lines; each row knows where it stood."""

import json
import pathlib
import typing

from kerasseq.data import _table_files, _text_columns, _text_files

SUFFIXES = (".tsv", ".txt", ".csv", ".jsonl", ".ndjson", ".json")
KINDS = (
    "a TSV, CSV or JSON lines file, or a folder that holds one folder of .txt files "
    "per class"
)


class Row(typing.NamedTuple):
    """A text, its label, and where it stands, for messages.

    `is_first`: the first line of a table without a header, which may be meant as one.
    """

    text: str
    label: str
    place: str
    is_first: bool = False


def read_table(path, text_column=None, label_column=None):
    """Reads a file by its suffix: `.csv`, `.jsonl`, `.ndjson`, `.json`, else TSV.

    Args:
        path: Path of the file.
        text_column: Name of the column (key) with the text, or its number from 1 on.
        label_column: The same of the label.

    Returns:
        A list of `Row`.

    Raises:
        ValueError: naming file and line.
    """
    suffix = pathlib.Path(path).suffix.lower()
    given = (text_column, label_column)
    if suffix == ".csv":
        table = _read_csv(path)
    elif suffix in (".jsonl", ".ndjson", ".json"):
        table = _read_json(path)
    else:
        table = _read_tsv(path, given)
    text, label = _text_columns.choose(table, *given)
    first = 1 if table.names is None else None
    return [
        Row(cells[text], cells[label], f"{table.path!r}, line {line}", line == first)
        for line, cells in table.records
    ]


def _read_tsv(path, given):
    names, records = None, _table_files.tab_rows(path, KINDS)
    if _text_columns.is_header(records[0][1], given):
        names, *records = [cells for _, cells in records[:1]] + records[1:]
    return _checked(_text_columns.Table(str(path), names, records), "<TAB>")


def _read_csv(path):
    records = _table_files.comma_rows(path, KINDS)
    names, *records = [cells for _, cells in records[:1]] + records[1:]
    return _checked(_text_columns.Table(str(path), names, records), ",")


def _checked(table, separator):
    """Refuses rows that have another number of columns than the first."""
    if not table.records:
        raise ValueError(f"{table.path!r} has a header and no rows; add labeled texts")
    form = separator.join(table.names or ("text", "label"))
    count = len(table.names or table.records[0][1])
    if count < 2:
        line, cells = (1, table.names) if table.names else table.records[0]
        raise ValueError(
            f"{table.path!r}, line {line}: a text and its label are two columns; "
            f"write text{separator}label. Received: 1 column, {cells[0][:60]!r}"
        )
    for line, cells in table.records:
        if len(cells) != count:
            raise ValueError(
                f"{table.path!r}, line {line}: expected {count} columns, {form}. "
                f"Received: {len(cells)} column(s) in {' | '.join(cells)[:60]!r}"
            )
    return table


def _read_json(path):
    names, records = None, []
    for number, line in enumerate(_text_files.read_lines(path, KINDS), 1):
        if not line.strip():
            continue
        found = _json_object(line, f"{str(path)!r}, line {number}")
        names = names or list(found)
        records.append((number, found))
    table = _text_columns.Table(str(path), names, records)
    return table._replace(records=[(n, _cells(table, n, x)) for n, x in records])


def _json_object(line, place):
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{place}: expected one JSON object a line, as "
            f'{{"text": "...", "label": "..."}}. Received: {line[:60]!r} ({error})'
        ) from error
    if not isinstance(found, dict) or len(found) < 2:
        raise ValueError(
            f"{place}: expected a JSON object with a text and a label, as "
            f'{{"text": "...", "label": "..."}}. Received: {line[:60]!r}'
        )
    return found


def _cells(table, number, found):
    """The values of an object in the order of the first; numbers as text."""
    missing = [name for name in table.names if name not in found]
    if missing:
        raise ValueError(
            f"{table.path!r}, line {number}: the objects before have a key "
            f"{missing[0]!r}; give it to all. Received: keys {list(found)}"
        )
    values = (found[name] for name in table.names)
    return [x if isinstance(x, str) else _shown(x) for x in values]


def _shown(value):
    return "" if value is None else json.dumps(value, ensure_ascii=False)
