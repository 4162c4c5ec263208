"""Texts with one label each, from files, folders, TFDS or generated."""

import pathlib
import typing

import numpy as np

from kerasseq.data import (
    _generated_reviews,
    _split_fractions,
    _text_files,
    _text_folders,
    _text_tables,
    _tfds_texts,
    words,
)
from kerasseq.utils import stages


class LabeledTexts(typing.NamedTuple):
    """Texts with one class each, in three splits.

    Args:
        name: String. Name of the data, for the report.
        class_names: List of strings. A label is an index into it.
        train: Pair `(texts, labels)`: a list of strings, and int32 of shape
            `(num_texts,)`.
        validation: Such a pair.
        test: Such a pair. Of splits that were split off no text is in train.
    """

    name: str
    class_names: list
    train: tuple
    validation: tuple
    test: tuple


def load_labeled_texts(
    data="synthetic",
    *,
    validation_data=None,
    test_data=None,
    data_dir=None,
    text_column=None,
    label_column=None,
    validation_fraction=0.1,
    test_fraction=0.1,
    num_examples=6000,
    seed=0,
):
    """Loads texts with one label each, to train a classifier.

    Splits that the data do not have are taken from the training texts, at random and
    stratified by class; training texts that equal one of them are left out.

    Args:
        data: One of
            - `"synthetic"`: `kerasseq.data.generated_reviews`;
            - `"tfds:NAME[/CONFIG]"`, e.g. `"tfds:imdb_reviews"`;
            - a `.tsv` file, text and label on each line, a header if you like; a
              `.csv` file with a header; or a `.jsonl` file, an object on each line;
            - a folder that holds one folder of `.txt` files per class, or such
              folders below `train/`, `validation/` and `test/`, or such files, as
              `train.tsv`.
        validation_data: A file or folder of class folders, for validation.
        test_data: Likewise, for testing.
        data_dir: Folder of prepared TFDS data sets.
        text_column: Name of the column or key with the text, or its number from 1 on.
            By default one called text, sentence, review or the like; of two columns
            the one with more different values.
        label_column: Likewise of the label: one called label, class, category,
            sentiment or target.
        validation_fraction: Float between 0 and 1. Fraction of the training texts to
            use for validation if there is no such split.
        test_fraction: Float between 0 and 1. The same for testing.
        num_examples: Integer. Number of generated reviews, all splits together.
        seed: Integer. Seed of the splits, and of what is generated.

    Returns:
        A `LabeledTexts`. Classes are sorted, integers by their value.

    Raises:
        ValueError: For what cannot be read, a text without words, a missing label, a
            label of validation or test that train does not have (the message names
            file and line), an unknown or unreachable TFDS data set, a single class,
            or classes with too few texts to split.

    Example:
        >>> texts = kerasseq.data.load_labeled_texts("synthetic")
        >>> len(texts.train[0]), texts.class_names
        (4800, ['negative', 'positive'])
    """
    _split_fractions.check_fractions(validation_fraction, test_fraction)
    columns = (text_column, label_column)
    if data == "synthetic":
        splits = {"train": _generated(num_examples, seed)}
    elif str(data).startswith("tfds:"):
        splits = _tfds_texts.read_tfds(data, data_dir, *columns)
    else:
        splits = _read(data, columns)
    for split, path in (("validation", validation_data), ("test", test_data)):
        if path is not None:
            splits[split] = _read(path, columns)["train"]
    splits = {split: _checked(rows, columns[0]) for split, rows in splits.items()}
    class_names = _class_names(splits["train"], data)
    _refuse_headers(splits)
    _tell_alike(class_names)
    pairs = {split: _pair(rows, class_names) for split, rows in splits.items()}
    fractions = {"test": test_fraction, "validation": validation_fraction}
    pairs = _cut_off(pairs, fractions, class_names, seed)
    return LabeledTexts(str(data), class_names, **pairs)


def _generated(num, seed):
    texts, labels = _generated_reviews.generated_reviews(num, seed)
    names = _generated_reviews.CLASS_NAMES
    return [
        _text_tables.Row(text, names[label], f"review {number}")
        for number, (text, label) in enumerate(zip(texts, labels, strict=True), 1)
    ]


def _read(path, columns):
    path = pathlib.Path(path)
    if path.is_dir():
        return _text_folders.read_folder(path, *columns)
    return {"train": _text_tables.read_table(path, *columns)}


def _checked(rows, text_column):
    """Refuses texts without words, rows without a label, and what is no text."""
    for text, label, place, _ in rows:
        for part in (text, label):
            _text_files.refuse_surrogates(part, place)
        if not words.split_words(text):
            hint = "" if text_column else ", or name the columns with `text_column`"
            raise ValueError(
                f"{place}: the text is empty; remove the row{hint}. "
                f"Received: text {text!r}, label {label[:60]!r}"
            )
        if not label.strip():
            raise ValueError(
                f"{place}: there is no label; add one, or remove the row. Received: "
                f"label {label!r} of the text {text[:60]!r}"
            )
    return [row._replace(label=row.label.strip()) for row in rows]


def _refuse_headers(splits):
    """Refuses a first line that seems to name columns: no other has its label."""
    rows = [row for rows in splits.values() for row in rows]
    labels = {row.label for row in rows if not row.is_first}
    for row in rows:
        if row.is_first and row.label not in labels:
            raise ValueError(
                f"{row.place}: no other line has this label. If the line names the "
                "columns, pass these names as `text_column` and `label_column`, or "
                "remove it; if it is a text, add others with its label. Received: "
                f"label {row.label[:60]!r} of the text {row.text[:60]!r}"
            )


def _class_names(rows, data):
    names = {row.label for row in rows}
    if len(names) < 2:
        raise ValueError(
            "There must be at least two classes; pass texts of several. "
            f"Received: {sorted(names)} in {str(data)!r}"
        )
    if len(names) > max(len(rows) // 2, 2):
        label = max(names, key=len)
        raise ValueError(
            f"There are {len(names)} labels for {len(rows)} texts in {str(data)!r}; "
            "check `text_column` and `label_column`: are they the other way around? "
            f"Received: a label {label[:60]!r}"
        )
    whole = all(name.removeprefix("-").isdecimal() for name in names)
    return sorted(names, key=int if whole else None)


def _tell_alike(class_names):
    """Says which names may be meant as one, as `Yes` and `yes`, or `1` and `1.0`."""
    found = {}
    for name in class_names:
        try:
            key = float(name)
        except ValueError:
            key = name.casefold()
        if found.setdefault(key, name) != name:
            stages.LOGGER.warning(
                "the labels %r and %r are two classes", found[key], name
            )


def _pair(rows, class_names):
    numbers = {name: number for number, name in enumerate(class_names)}
    for row in rows:
        if row.label not in numbers:
            raise ValueError(
                f"{row.place}: no training text has this label; correct it, or add "
                f"such texts to train. Expected: one of {class_names[:20]}. Received: "
                f"label {row.label[:60]!r}"
            )
    labels = np.array([numbers[row.label] for row in rows], "int32")
    return [row.text for row in rows], labels


def _cut_off(pairs, fractions, class_names, seed):
    """Adds the missing splits, taken from train."""
    missing = {x: size for x, size in fractions.items() if x not in pairs}
    texts, labels = pairs["train"]
    _check_counts(labels, len(missing) + 1, class_names)
    found, held_out = _split_fractions.stratified(labels, missing, seed), set()
    for split in missing:
        pairs[split] = [texts[i] for i in found[split]], labels[found[split]]
        held_out |= {*pairs[split][0]}
    rows = [i for i in found["train"] if texts[i] not in held_out]
    if alike := len(found["train"]) - len(rows):
        stages.LOGGER.warning(
            f"{alike} training texts are left out, which are among those split off for "
            f"{' and '.join(missing)} too"
        )
    _check_counts(labels[rows], 1, class_names)
    return pairs | {"train": ([texts[i] for i in rows], labels[rows])}


def _check_counts(labels, needed, class_names):
    counts = np.bincount(labels, minlength=len(class_names))
    few = [f"{class_names[i]}: {counts[i]}" for i in np.flatnonzero(counts < needed)]
    if few:
        raise ValueError(
            f"Every class must have at least {needed} different texts, one for train "
            "and one for each split that is missing; add texts, or pass "
            f"`validation_data` and `test_data`. Received: {', '.join(few[:10])}"
        )
