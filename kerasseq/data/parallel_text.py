"""Pairs of sentences from files, TFDS or the embedded phrases."""

import numpy as np

from kerasseq.data import _pair_sources
from kerasseq.utils import stages

MIN_PAIRS = 10


def load_parallel_text(
    data,
    *,
    validation_data=None,
    test_data=None,
    data_dir=None,
    source_locale="en",
    target_locale="de",
    num_examples=20000,
    seed=0,
    lowercase=False,
):
    """Loads pairs of sentences, to train a translation model.

    If there are no validation or test data, 5 % of the training pairs (at least 1, at
    most 1000) are split off at random for each. All other training pairs with the same
    sources are removed, so that the held-out sentences are unseen in training.

    Args:
        data: One of
            - `"synthetic"`: phrases from `locale_phrases`;
            - `"tfds:NAME[/CONFIG]"`, e.g. `"tfds:ted_hrlr_translate/pt_to_en"`: its
              splits train, validation and test;
            - the path of a TSV file with `source<TAB>target` on each line;
            - two line-aligned files, `"train.en,train.de"`.
        validation_data: A TSV file or two line-aligned files; replaces a TFDS split.
        test_data: A TSV file or two line-aligned files; replaces a TFDS split.
        data_dir: Folder of prepared TFDS data sets.
        source_locale: See `locale_phrases`.
        target_locale: See `locale_phrases`.
        num_examples: See `locale_phrases`.
        seed: Integer. Seed of the splits and of synthetic data.
        lowercase: Boolean, whether to apply `str.lower` to both sides.

    Returns:
        A `ParallelText`.

    Raises:
        ValueError: For files that are missing, empty, not UTF-8, of unequal length or
            malformed (the message names file and line), for an unknown or unreachable
            TFDS data set, or for too few pairs to split.

    Example:
        >>> text = load_parallel_text("train.en,train.de", test_data="test.tsv")
    """
    if data == "synthetic":
        locales = source_locale, target_locale
        from kerasseq.data import _locale_phrases  # needs babel

        text = _locale_phrases.locale_phrases(num_examples, *locales, seed)
        splits = text._asdict()
    elif data.startswith("tfds:"):
        splits = _pair_sources.read_tfds(data, data_dir)
    else:
        splits = {"train": _pair_sources.read_files(data)}
    for name, path in (("validation", validation_data), ("test", test_data)):
        if path:
            splits[name] = _pair_sources.read_files(path)
    train = [pair for pair in splits["train"] if pair[0].strip() and pair[1].strip()]
    splits["num_empty"] = len(splits["train"]) - len(train)
    splits["train"] = train
    splits.setdefault("name", data)
    if lowercase:
        for name in {"train", "validation", "test"} & splits.keys():
            splits[name] = [(s.lower(), t.lower()) for s, t in splits[name]]
    _tell_empty(splits)
    return _pair_sources.ParallelText(**_split_off(splits, seed))


def _tell_empty(splits):
    """Says which given splits have pairs with an empty side; they are kept."""
    for name in ("validation", "test"):
        pairs = splits.get(name, ())
        count = sum(not (source.strip() and target.strip()) for source, target in pairs)
        if count:
            stages.LOGGER.warning(
                "%d pair(s) of %s have an empty side and are kept", count, name
            )


def _split_off(splits, seed):
    """Adds the missing splits, taken from train."""
    missing = [name for name in ("test", "validation") if name not in splits]
    if not missing:
        return splits
    train = splits["train"]
    if len(train) < MIN_PAIRS:
        raise ValueError(
            f"Too few training pairs to split off {' and '.join(missing)}: there must "
            f"be at least {MIN_PAIRS}. Received: {len(train)} pairs in "
            f"{splits['name']!r}"
        )
    size = min(1000, max(1, len(train) // 20))
    order = np.random.default_rng(seed).permutation(len(train))
    held_out = set()
    for number, name in enumerate(missing):
        rows = order[number * size : (number + 1) * size]
        splits[name] = [train[row] for row in rows]
        held_out.update(source for source, _ in splits[name])
    splits["train"] = [pair for pair in train if pair[0] not in held_out]
    if not splits["train"]:
        raise ValueError(
            "No training pair is left, since all sources are equal; pass different "
            "sources. "
            f"Received: {len(train)} pairs in {splits['name']!r}"
        )
    return splits
