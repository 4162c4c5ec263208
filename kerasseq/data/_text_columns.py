"""Which columns of a table hold the text and the label."""

import pathlib
import typing

TEXT_NAMES = ("text", "sentence", "review", "content", "comment", "body", "document")
LABEL_NAMES = ("label", "class", "category", "sentiment", "target", "labels")


class Table(typing.NamedTuple):
    """Records with their lines; `names` of the columns, `None` without a header."""

    path: str
    names: list | None
    records: list  # of (line, cells)


def is_header(cells, given):
    """Whether a first line names columns: known names, or one that is asked for."""
    lowered = [cell.strip().lower() for cell in cells]
    known = any(x in TEXT_NAMES for x in lowered) and any(
        x in LABEL_NAMES for x in lowered
    )
    names = [x for x in given if x is not None and not str(x).isdecimal()]
    return known or any(name in cells for name in names)


def choose(table, text_column, label_column):
    """The places of text and label: as asked for, by their names, or of two."""
    text = _place(table, "text_column", text_column, TEXT_NAMES)
    label = _place(table, "label_column", label_column, LABEL_NAMES)
    count = len(table.records[0][1])
    if count == 2 and (text is None) != (label is None):
        text, label = (1 - label, label) if text is None else (text, 1 - text)
    if count == 2 and text is None:
        label = _fewer_values(table)
        text = 1 - label
    if text is None or label is None or text == label:
        shown = table.names or f"1 to {count}, without names"
        raise ValueError(
            f"{table.path!r}: which columns hold the text and the label? Pass "
            f"`text_column` and `label_column`. Received: columns {shown}, "
            f"text_column={text_column}, label_column={label_column}"
        )
    _check_header(table, label)
    return text, label


def _place(table, argument, given, known):
    names = table.names or []
    if given is None:
        places = [i for i, x in enumerate(names) if x.strip().lower() in known]
        return places[0] if len(places) == 1 else None
    if given in names:
        return names.index(given)
    count = len(table.records[0][1])
    if str(given).isdecimal() and 1 <= int(given) <= count:
        return int(given) - 1
    raise ValueError(
        f"{table.path!r} has no such column; `{argument}` is one of its names, or a "
        f"number from 1 to {count}. Received: {argument}={given}, columns "
        f"{table.names or 'without names'}"
    )


def _fewer_values(table):
    """Of two columns that of the labels: there are fewer different ones."""
    first, second = (len({x[k] for _, x in table.records}) for k in (0, 1))
    return 0 if first < second else 1


def _check_header(table, label):
    """A first line that was taken for a header and holds a label is none."""
    labels = {cells[label] for _, cells in table.records}
    is_csv = pathlib.Path(table.path).suffix.lower() == ".csv"
    if is_csv and table.names[label] in labels and len(table.records) > len(labels):
        raise ValueError(
            f"{table.path!r}, line 1: expected a header, as text,label; put one before "
            f"the rows. Received: {','.join(table.names)[:60]!r}"
        )
