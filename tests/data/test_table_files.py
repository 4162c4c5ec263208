import csv

import pytest

from kerasseq.data import _table_files, _text_files


def write(path, text):
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "lines, expected",
    [
        (['"a ""b"""', "c"], ['a "b"', "c"]),  # quotes around a cell with quotes
        (['"a, b"', "c", '""'], ["a, b", "c", ""]),  # or around all
        (['"a, b"', 'he said "c"'], ['"a, b"', 'he said "c"']),  # but not where
        (['"', '"He came."', '"a ""b"""'], ['"', '"He came."', 'a "b"']),  # they are
        (['"a "b"', '"""'], ['"a "b"', '"""']),  # signs of the text
        (['""""'], ['"']),
    ],
)
def test_quotes_of_a_spreadsheet(lines, expected, tmp_path, caplog):
    path = write(tmp_path / "a.tsv", "".join(f"{x}\t1\r\n" for x in lines))
    rows = _table_files.tab_rows(path, "a TSV file")
    assert rows == [(k, [x, "1"]) for k, x in enumerate(expected, 1)]
    count = sum(x != y for x, y in zip(lines, expected, strict=True))
    said = [f"{str(path)!r}: {count} cell(s) stood in quotes, which were taken off"]
    assert caplog.messages == said * (count > 0)


def test_cells_of_several_lines_between_tabs(tmp_path, caplog):
    text = 'text\tlabel\n"a ""b""\nc\n\nd"\t1\n\ne\t2\n'
    path = write(tmp_path / "a.tsv", text)
    rows = [(1, ["text", "label"]), (2, ['a "b"\nc\n\nd', "1"]), (6, [""])]
    assert _table_files.tab_rows(path, "a TSV file") == [*rows, (7, ["e", "2"])]
    said = "3 line(s) go on with the quoted cell of the line before"
    assert caplog.messages == [f"{str(path)!r}: {said}"]
    # Where quotes do not make the rows even, each line is one.
    path = write(tmp_path / "b.tsv", '"a\nb"\t1\nc\n"d')
    found = [cells for _, cells in _table_files.tab_rows(path, "a TSV file")]
    assert found == [['"a'], ['b"', "1"], ["c"], ['"d']]
    path = write(tmp_path / "c.tsv", '"a\t1\nb\nc"\t2\n')
    found = [cells for _, cells in _table_files.tab_rows(path, "a TSV file")]
    assert found == [['"a', "1"], ["b"], ['c"', "2"]]
    path = write(tmp_path / "d.tsv", '"\tQ\nb\tO\n\n"\tQ\n')
    found = [cells for _, cells in _table_files.tab_rows(path, "a TSV file")]
    assert found == [['"', "Q"], ["b", "O"], [""], ['"', "Q"]]


@pytest.mark.parametrize("delimiter", ",;\t")
def test_delimiters_and_lines_of_csv(delimiter, tmp_path):
    lines = ["a,b", '"x, y; z\t""q""\nnext",2', "", "c,3"]
    text = "\n".join([lines[0].replace(",", delimiter), *lines[1:]])
    text = text.replace('",2', f'"{delimiter}2').replace("c,3", f"c{delimiter}3")
    found = _table_files.comma_rows(write(tmp_path / "a.csv", text), "a CSV file")
    expected = [(1, ["a", "b"]), (2, ['x, y; z\t"q"\nnext', "2"]), (5, ["c", "3"])]
    assert found == expected
    quoted = write(tmp_path / "b.csv", '"Price, EUR";b\n1,5;2\n')
    rows = _table_files.comma_rows(quoted, "a CSV file")
    assert rows == [(1, ["Price, EUR", "b"]), (2, ["1,5", "2"])]


def test_csv_that_says_its_delimiter(tmp_path):
    path = write(tmp_path / "a.csv", "\nsep=;\na,b;c\n1;2\n")
    rows = [(3, ["a,b", "c"]), (4, ["1", "2"])]
    assert _table_files.comma_rows(path, "a CSV file") == rows
    path = write(tmp_path / "b.csv", "a,b\r1,2\r")  # of an old Macintosh
    rows = [(1, ["a", "b"]), (2, ["1", "2"])]
    assert _table_files.comma_rows(path, "a CSV file") == rows


def test_a_long_cell_of_csv(tmp_path):
    before = csv.field_size_limit()
    path = write(tmp_path / "a.csv", f"text,label\n{'x ' * 100_000},1\n")
    (_, names), (_, cells) = _table_files.comma_rows(path, "a CSV file")
    assert names == ["text", "label"] and len(cells[0]) == 200_000
    with pytest.raises(ValueError, match="line 1: no CSV from here on"):
        _table_files.comma_rows(write(tmp_path / "b.csv", '"a'), "a CSV file")
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    "content, message",
    [
        (b"\x1f\x8b\x08rest", "is no text file: it is compressed by gzip"),
        (b"PK\x03\x04rest", "is no text file: it is a zip archive, as .xlsx"),
        ("a\tb".encode("utf-16"), "is no text file: it is written as UTF-16"),
        (b"a\n\xff", "is not UTF-8 at line 2"),
    ],
)
def test_what_is_no_text(content, message, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        _text_files.read_text(tmp_path / "a", "a file")
