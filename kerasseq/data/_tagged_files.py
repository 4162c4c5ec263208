"""Reads sentences with a tag for each word from CoNLL-U, column and CSV files."""

import pathlib
import re

from kerasseq.data import _table_files, _text_files
from kerasseq.utils import stages

KINDS = "a CoNLL-U, two-column or CSV file"
CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats")
CONLLU += ("head", "deprel", "deps", "misc")
_ANNOTATED = ("upos", "xpos", "head", "deprel")  # of which each word has one
_SENTENCE = ("sentence", "sentence_id", "sent_id", "sentence #", "sentence_idx")
_WORD = ("word", "token", "form", "text")
_TAG = ("tag", "label", "ner", "ner_tags", "upos", "pos")
# What CoNLL-U says of a sentence stands in other files, too.
_COMMENT = re.compile(r"# (newdoc|newpar|sent_id|text)\b")


def read_file(path, tag_column=None):
    """Reads the sentences of a file.

    Args:
        path: Path of a CoNLL-U file (ten columns parted by tabs), of a CSV file with a
            header (`.csv`), or of a file with a word and its tag, or more columns, on
            each line, and an empty line after each sentence.
        tag_column: Which column holds the tag: a name of `CONLLU`, `upos` by default;
            of the header of a CSV file; or a number from 2 on, by default the last.
            In CoNLL-U `_` is no tag but of columns that words may leave empty, such as
            `feats`: sentences with it are left out, and so said.

    Returns:
        A list of `(words, tags)`, two lists of strings each.

    Raises:
        ValueError: naming the file and the line.
    """
    is_annotated = False
    if pathlib.Path(path).suffix.lower() == ".csv":
        rows, header = _csv_rows(path, tag_column)
        found = f"a header with the columns {header}"
    else:
        lines = _text_files.read_lines(path, KINDS)
        found = f"{len(lines)} lines"
        if _is_conllu(path, lines):
            tag_column = str(tag_column or "upos").lower()
            rows = _conllu_rows(path, lines, tag_column)
            is_annotated = tag_column in _ANNOTATED
        else:
            rows = _column_rows(path, lines, tag_column)
            rows = _tell_first(path, rows)
    sentences = _grouped(rows)
    if not sentences:
        raise ValueError(
            f"{str(path)!r} holds no sentence; it must be {KINDS}. Received: {found}"
        )
    if is_annotated:
        return _annotated(path, sentences, tag_column)
    return sentences


def _annotated(path, sentences, tag_column):
    """The sentences of which each word has a tag, other than `_`."""
    kept = [(words, tags) for words, tags in sentences if "_" not in tags]
    missing = len(sentences) - len(kept)
    if not kept:
        raise ValueError(
            f"{str(path)!r}: no sentence has a tag other than _ for each word in the "
            f"column {tag_column}, and _ stands for none; name another with "
            f"`tag_column`. Received: tag_column={tag_column!r}"
        )
    if missing:
        text = "%r: %d sentence(s) with a word of which %s is _ are left out"
        stages.LOGGER.warning(text, str(path), missing, tag_column)
    return kept


def _tell_first(path, rows):
    """The rows; says so where the first may be the names of the columns."""
    rows = list(rows)
    words = [row for row in rows if row is not None]
    alike = sum(tag == words[0][1] for _, tag in words) if words else 0
    if alike == 1 and len(words) >= 20:
        stages.LOGGER.warning(
            "%r: its first line is taken for the word %r with the tag %r, which no "
            "other has; remove it if it names the columns",
            str(path),
            *words[0],
        )
    return rows


def _grouped(rows):
    """Sentences of `(word, tag)`, with `None` between them."""
    sentences, words, tags = [], [], []
    for row in [*rows, None]:
        if row is not None:
            words.append(row[0])
            tags.append(row[1])
        elif words:
            sentences.append((words, tags))
            words, tags = [], []
    return sentences


def _is_conllu(path, lines):
    if pathlib.Path(path).suffix.lower() == ".conllu":
        return True
    first = next((x for x in lines if x.strip() and not x.startswith("# ")), "")
    return len(first.split("\t")) == len(CONLLU)


def _conllu_rows(path, lines, tag_column):
    if tag_column not in CONLLU[2:]:
        raise ValueError(
            f"`tag_column` of a CoNLL-U file is one of {', '.join(CONLLU[2:])}. "
            f"Received: tag_column={tag_column!r}"
        )
    place, before = CONLLU.index(tag_column), -1
    for number, line in enumerate(lines, 1):
        if not line.strip():
            before = -1
            yield None
        elif not line.startswith("#"):
            fields = line.split("\t")
            _check_conllu(path, number, line, fields)
            # Ranges such as 1-2 and empty nodes such as 1.1 are no words.
            if fields[0].isdigit():
                if int(fields[0]) <= before:
                    raise ValueError(
                        f"{str(path)!r}, line {number}: the numbers of words grow in "
                        "a sentence; put an empty line between sentences. Received: "
                        f"number {fields[0]} after {before}"
                    )
                before = int(fields[0])
                yield _checked(path, number, fields[1], fields[place])


def _check_conllu(path, number, line, fields):
    if len(fields) != len(CONLLU):
        raise ValueError(
            f"{str(path)!r}, line {number}: expected ten columns parted by "
            "tabs, as CoNLL-U has them; mend the line. Received: "
            f"{len(fields)} column(s) in {line[:60]!r}"
        )
    if not fields[0].replace("-", "").replace(".", "").isdecimal():
        raise ValueError(
            f"{str(path)!r}, line {number}: the first column of CoNLL-U is a "
            f"number, 1 for the first word. Received: {fields[0]!r}"
        )


def _column_rows(path, lines, tag_column):
    """Rows of a file with a word and its tag on each line, a header or none."""
    place, expected = _place(tag_column), None
    if any("\t" in line for line in lines):
        rows = _table_files.tab_rows(path, KINDS)
    else:
        rows = [(number, line.split()) for number, line in enumerate(lines, 1)]
    for number, fields in rows:
        line = lines[number - 1]
        if not line.strip() or fields[0] == "-DOCSTART-" or _COMMENT.match(line):
            yield None
            continue
        first, expected = expected is None, expected or len(fields)
        if len(fields) != expected or not 2 <= len(fields) or place >= len(fields):
            wanted = f"{max(expected, 2, place + 1)} columns, a word and its tag"
            raise ValueError(
                f"{str(path)!r}, line {number}: expected {wanted}, or an empty line "
                f"after a sentence. Received: {len(fields)} column(s) in {line[:60]!r}"
            )
        if first and fields[0].lower() in _WORD and fields[place].lower() in _TAG:
            _table_files.tell_header(path, number, fields)
            continue
        yield _checked(path, number, fields[0], fields[place])


def _place(tag_column):
    """The index of a column that is named by its number, -1 by default."""
    if tag_column is None:
        return -1
    if not str(tag_column).isdigit() or int(tag_column) < 2:
        raise ValueError(
            "`tag_column` of a file without names is a number from 2 on, the word "
            f"being in column 1. Received: tag_column={tag_column!r}"
        )
    return int(tag_column) - 1


def _csv_rows(path, tag_column):
    """Rows of a CSV file: a word each, and a column that tells the sentences."""
    (_, header), *lines = _table_files.comma_rows(path, KINDS)
    header = [name.strip() for name in header]
    places = {
        "sentence": _find(path, header, _SENTENCE, None, "the number of the sentence"),
        "word": _find(path, header, _WORD, None, "the word"),
        "tag": _find(path, header, _TAG, tag_column, "its tag"),
    }
    rows, before = [], None
    for number, fields in lines:
        if not any(x.strip() for x in fields):
            continue
        _check_fields(path, number, fields, header)
        # Kaggle's files give the sentence at its first word alone.
        sentence = fields[places["sentence"]].strip() or before
        if sentence != before:
            rows.append(None)
        before = sentence
        word, tag = fields[places["word"]], fields[places["tag"]]
        rows.append(_checked(path, number, word, tag))
    return rows, header


def _check_fields(path, number, fields, header):
    for field in fields:
        if "\n" in field:
            raise ValueError(
                f"{str(path)!r}, line {number}: a quote opens a cell that goes on in "
                'the next line; write the word " as """". '
                f"Received: {field[:60]!r}"
            )
    if len(fields) != len(header):
        raise ValueError(
            f"{str(path)!r}, line {number}: expected {len(header)} columns, as the "
            "header has; quote what holds a comma. Received: "
            f"{len(fields)} column(s)"
        )


def _find(path, header, known, given, what):
    """The place of a column: of one that is asked for, by name or number, or known."""
    names, asked = [name.lower() for name in header], str(given).lower()
    if given is not None and asked not in names and asked.isdecimal():
        if 1 <= int(asked) <= len(header):
            return int(asked) - 1
    wanted = known if given is None else (asked,)
    found = [name for name in wanted if name in names]
    hint = ", or name another with `tag_column`" if known is _TAG else ""
    if not found:
        raise ValueError(
            f"{str(path)!r}, line 1: a column is missing for {what}; call it "
            f"{' or '.join(wanted)}{hint}. Received: columns {header}"
        )
    if names.count(found[0]) > 1:
        raise ValueError(
            f"{str(path)!r}, line 1: two columns are called {found[0]}; rename one"
            f"{hint}. Received: columns {header}"
        )
    return names.index(found[0])


def _checked(path, number, word, tag):
    word, tag = word.strip(), tag.strip()
    if not word or not tag:
        missing = "word" if not word else "tag"
        raise ValueError(
            f"{str(path)!r}, line {number}: the {missing} is missing; add it, or "
            f"remove the line. Received: word {word!r}, tag {tag!r}"
        )
    return word, tag
