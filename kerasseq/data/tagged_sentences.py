"""Sentences with a tag for each word, from files or generated."""

import typing

import numpy as np

from kerasseq.data import _sense_sentences, _split_fractions, _tagged_files
from kerasseq.utils import stages

MIN_SENTENCES = 10


class TaggedSentences(typing.NamedTuple):
    """Sentences with a tag for each word, in three splits.

    Args:
        name: String. Name of the data, for the report.
        train: List of `(words, tags)`, two lists of strings of the same length.
        validation: Such a list.
        test: Such a list. If it was split off, its sentences are not in train.
    """

    name: str
    train: list
    validation: list
    test: list

    @property
    def tags(self):
        """The tags of the training sentences, sorted."""
        return sorted({tag for _, tags in self.train for tag in tags})


def load_tagged_sentences(
    data="synthetic",
    *,
    validation_data=None,
    test_data=None,
    tag_column=None,
    validation_fraction=0.1,
    test_fraction=0.1,
    num_examples=4000,
    seed=0,
):
    """Loads sentences with a tag for each word, to train a tagger.

    If there are no validation or test data, some of the training sentences are split
    off for them, at random; training sentences with the same words are left out. Those
    with a tag that no other sentence has stay in train.

    Args:
        data: One of
            - `"synthetic"`: sentences in which words such as "apple" and "bank" have
              the sense that their neighbors give them;
            - the path of a CoNLL-U file;
            - of a file with a word and its tag on each line, parted by a tab or space,
              and an empty line after each sentence (CoNLL-2003 has two columns more);
            - of a `.csv` file with the columns sentence, word and tag.
        validation_data: A file of the same kinds.
        test_data: Likewise.
        tag_column: Column of the tag: in CoNLL-U `"upos"` (the default), `"xpos"` or
            another; in a CSV file a name of the header; else a number from 2 on, by
            default the last.
        validation_fraction: Float between 0 and 1. Fraction of the training sentences
            to split off if there are no validation data.
        test_fraction: Float between 0 and 1. The same for testing.
        num_examples: Integer. Number of generated sentences, all splits together.
        seed: Integer. Seed of the splits, and of what is generated.

    Returns:
        A `TaggedSentences`.

    Raises:
        ValueError: For what cannot be read (the message names file and line), tags of
            validation or test that train does not have, a single tag, or too few
            sentences to split.

    Example:
        >>> data = kerasseq.data.load_tagged_sentences()
        >>> words, tags = data.train[0]  # a sentence and as many tags
    """
    _split_fractions.check_fractions(validation_fraction, test_fraction)
    if str(data).startswith("tfds:"):
        raise ValueError(
            f"`data` is 'synthetic' or {_tagged_files.KINDS}; a set of "
            f"tensorflow-datasets is to be written to such a file. Received: {data!r}"
        )
    if data == "synthetic":
        train = _sense_sentences.sense_sentences(num_examples, seed)
    else:
        train = _tagged_files.read_file(data, tag_column)
    splits = {}
    for name, path in (("validation", validation_data), ("test", test_data)):
        if path is not None:
            splits[name] = _tagged_files.read_file(path, tag_column)
    fractions = {"test": test_fraction, "validation": validation_fraction}
    splits = _split_off(train, splits, fractions, str(data), seed)
    found = TaggedSentences(str(data), **splits)
    _check_tags(found, {"validation": validation_data, "test": test_data})
    return found


def _split_off(train, splits, fractions, name, seed):
    """All three splits, those that are missing taken from train."""
    missing = [part for part in fractions if part not in splits]
    if missing and len(train) < MIN_SENTENCES:
        raise ValueError(
            f"Too few sentences to split off {' and '.join(missing)}: there must be at "
            f"least {MIN_SENTENCES}; add some, or give `validation_data` and "
            f"`test_data`. Received: {len(train)} in {name!r}"
        )
    order = np.random.default_rng(seed).permutation(len(train))
    sizes = [max(int(len(train) * fractions[part]), 1) for part in missing]
    places = np.split(order, np.cumsum(sizes))
    cut = {
        part: [train[row] for row in rows]
        for part, rows in zip(missing, places, strict=False)
    }
    if not _rest(train, cut):
        raise ValueError(
            "No training sentence is left, since all are alike; give different ones. "
            f"Received: {len(train)} in {name!r}"
        )
    cut = _without_new_tags(train, cut, name)
    rest = _rest(train, cut)
    if alike := len(train) - len(rest) - sum(map(len, cut.values())):
        stages.LOGGER.warning(
            f"{alike} training sentences are left out, which are among those split off "
            f"for {' and '.join(missing)} too"
        )
    return splits | cut | {"train": rest}


def _rest(train, cut):
    """The sentences of train whose words are not among those that were cut off."""
    held_out = {tuple(words) for rows in cut.values() for words, _ in rows}
    return [row for row in train if tuple(row[0]) not in held_out]


def _without_new_tags(train, cut, name):
    """What was cut off, but for sentences with a tag that train would not have."""
    known = {tag for _, tags in _rest(train, cut) for tag in tags}
    back, new = set(), set()
    for words, tags in (row for rows in cut.values() for row in rows):
        if not known.issuperset(tags):
            back.add(tuple(words))
            new |= {*tags} - known
            known.update(tags)
    if not back:
        return cut
    shown = f"{', '.join(sorted(new)[:5])}{', ...' if len(new) > 5 else ''}"
    cut = {
        part: [row for row in rows if tuple(row[0]) not in back]
        for part, rows in cut.items()
    }
    for part, rows in cut.items():
        if not rows:
            raise ValueError(
                f"No sentence can be split off for {part}: all that were chosen have "
                "tags that train would lack; add sentences with these tags, give "
                f"`{part}_data`, or take another `seed`. Received: the tags {shown} in "
                f"{name!r}"
            )
    stages.LOGGER.warning(
        "%d sentence(s) stay in train, since no other has their tags: %s",
        len(back),
        shown,
    )
    return cut


def _check_tags(data, paths):
    known = set(data.tags)
    if len(known) < 2:
        raise ValueError(
            "There must be at least two tags. Received: only "
            f"{sorted(known)} in {data.name!r}; is `tag_column` the right one?"
        )
    for part, path in paths.items():
        for number, (words, tags) in enumerate(getattr(data, part), 1):
            for word, tag in zip(words, tags, strict=True):
                if path is not None and tag not in known:
                    raise ValueError(
                        f"{str(path)!r}, sentence {number}: a tag that no training "
                        "sentence has; mend it, or add such sentences to the training "
                        f"data. Received: {tag!r} of the word {word!r}"
                    )
    return data
