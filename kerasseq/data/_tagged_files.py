"""Reads sentences with a tag for each word from CoNLL-U, column and CSV files."""

import csv
import io
import pathlib

from kerasseq.data import _text_files

KINDS = "a CoNLL-U, two-column or CSV file"
CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats")
CONLLU += ("head", "deprel", "deps", "misc")
_SENTENCE = ("sentence", "sentence_id", "sent_id", "sentence #", "sentence_idx")
_WORD = ("word", "token", "form", "text")
_TAG = ("tag", "label", "ner", "ner_tags", "upos", "pos")


def read_file(path, tag_column=None):
    """Reads the sentences of a file.

    Args:
        path: Path of a CoNLL-U file (ten columns parted by tabs), of a CSV file with a
            header (`.csv`), or of a file with a word and its tag, or more columns, on
            each line, and an empty line after each sentence.
        tag_column: Which column holds the tag: a name of `CONLLU`, `upos` by default;
            of the header of a CSV file; or a number from 1 on, by default the last.

    Returns:
        A list of `(words, tags)`, two lists of strings each.

    Raises:
        ValueError: naming the file and the line.
    """
    lines = _text_files.read_lines(path, KINDS)
    if pathlib.Path(path).suffix.lower() == ".csv":
        rows, found = _csv_rows(path, lines, tag_column)
    elif _is_conllu(path, lines):
        rows, found = _conllu_rows(path, lines, tag_column or "upos"), None
    else:
        rows, found = _column_rows(path, lines, tag_column), None
    sentences = _grouped(rows)
    if not sentences:
        raise ValueError(
            f"{str(path)!r} holds no sentence; it must be {KINDS}. Received: "
            f"{len(lines)} lines{f' with the columns {found}' if found else ''}"
        )
    return sentences


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
    place = CONLLU.index(tag_column)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            yield None
        elif not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != len(CONLLU):
                raise ValueError(
                    f"{str(path)!r}, line {number}: expected ten columns parted by "
                    "tabs, as CoNLL-U has them; mend the line. Received: "
                    f"{len(fields)} column(s) in {line[:60]!r}"
                )
            # Ranges such as 1-2 and empty nodes such as 1.1 are no words.
            if fields[0].isdigit():
                yield _checked(path, number, fields[1], fields[place])
            elif not fields[0].replace("-", "").replace(".", "").isdigit():
                raise ValueError(
                    f"{str(path)!r}, line {number}: the first column of CoNLL-U is a "
                    f"number, 1 for the first word. Received: {fields[0]!r}"
                )


def _column_rows(path, lines, tag_column):
    place = _place(tag_column)
    separator = "\t" if any("\t" in line for line in lines) else None
    expected = None
    for number, line in enumerate(lines, 1):
        fields = line.rstrip("\r").split(separator)
        if not line.strip() or fields[0] == "-DOCSTART-":
            yield None
            continue
        expected = expected or len(fields)
        if len(fields) != expected or not 2 <= len(fields) or place >= len(fields):
            wanted = f"{max(expected, 2, place + 1)} columns, a word and its tag"
            raise ValueError(
                f"{str(path)!r}, line {number}: expected {wanted}, or an empty line "
                f"after a sentence. Received: {len(fields)} column(s) in {line[:60]!r}"
            )
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


def _csv_rows(path, lines, tag_column):
    """Rows of a CSV file: a word each, and a column that tells the sentences."""
    reader = csv.reader(io.StringIO("\n".join(lines)))
    header = [name.strip() for name in next(reader)]
    places = {
        "sentence": _find(path, header, _SENTENCE, None, "the number of the sentence"),
        "word": _find(path, header, _WORD, None, "the word"),
        "tag": _find(path, header, _TAG, tag_column, "its tag"),
    }
    rows, before = [], None
    for fields in reader:
        number = reader.line_num
        if not any(x.strip() for x in fields):
            continue
        if len(fields) != len(header):
            raise ValueError(
                f"{str(path)!r}, line {number}: expected {len(header)} columns, as the "
                "header has; quote what holds a comma. Received: "
                f"{len(fields)} column(s)"
            )
        # Kaggle's files give the sentence at its first word alone.
        sentence = fields[places["sentence"]].strip() or before
        if sentence != before:
            rows.append(None)
        before = sentence
        word, tag = fields[places["word"]], fields[places["tag"]]
        rows.append(_checked(path, number, word, tag))
    return rows, header


def _find(path, header, known, given, what):
    names = [name.lower() for name in header]
    wanted = known if given is None else (str(given).lower(),)
    for name in wanted:
        if name in names:
            return names.index(name)
    hint = "" if given is None else ", or name another with `tag_column`"
    raise ValueError(
        f"{str(path)!r}, line 1: a column is missing for {what}; call it "
        f"{' or '.join(wanted)}{hint}. Received: columns {header}"
    )


def _checked(path, number, word, tag):
    word, tag = word.strip(), tag.strip()
    if not word or not tag:
        missing = "word" if not word else "tag"
        raise ValueError(
            f"{str(path)!r}, line {number}: the {missing} is missing; add it, or "
            f"remove the line. Received: word {word!r}, tag {tag!r}"
        )
    return word, tag
