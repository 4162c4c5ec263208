"""One long text, to train language models."""

import typing

from kerasseq.data import _text_files


class RunningText(typing.NamedTuple):
    """A text in three parts.

    Args:
        name: String. Name of the data, for the report.
        train: String.
        validation: String.
        test: String. Empty with `test_fraction=0`.
    """

    name: str
    train: str
    validation: str
    test: str


def load_running_text(
    data="synthetic", data_dir=None, validation_fraction=0.05, test_fraction=0.05
):
    """Loads a text and splits off its end for validation and testing.

    Args:
        data: One of
            - `"synthetic"`: the help topics that come with Python (`pydoc_data`);
            - the path of a UTF-8 file;
            - `"tfds:NAME[/CONFIG]"`, a data set with a feature `text`. Its splits are
              used if it has all three.
        data_dir: Folder of prepared TFDS data sets.
        validation_fraction: Float between 0 and 1. Fraction of the text to use for
            validation, taken before the part for testing.
        test_fraction: Float between 0 and 1, or 0. Fraction of the text, at its end,
            to use for testing.

    Returns:
        A `RunningText`.

    Raises:
        ValueError: If the text cannot be read, is empty, or is too short to be split.

    Example:
        >>> kerasseq.data.load_running_text().train[:19]
        'The "assert" statem'
    """
    if (
        not 0 < validation_fraction
        or test_fraction < 0
        or validation_fraction + test_fraction >= 1
    ):
        raise ValueError(
            "`validation_fraction` must be above 0, `test_fraction` 0 or more, and "
            f"their sum below 1. Received: validation_fraction={validation_fraction}, "
            f"test_fraction={test_fraction}"
        )
    if data.startswith("tfds:"):
        return _from_tfds(data, data_dir, validation_fraction, test_fraction)
    if data == "synthetic":
        from pydoc_data import topics

        name, text = "Python's help topics", "\n\n".join(topics.topics.values())
    else:
        name, text = data, _text_files.read_text(data, "or a text file")
    return RunningText(name, *_cut(text, data, validation_fraction, test_fraction))


def _cut(text, data, validation_fraction, test_fraction):
    test = len(text) - round(len(text) * test_fraction)
    validation = test - round(len(text) * validation_fraction)
    parts = text[:validation], text[validation:test], text[test:]
    if not all(parts[:2]):
        raise ValueError(
            f"The text is too short to be split; use more. Received: {data!r} with "
            f"{len(text)} characters, validation_fraction={validation_fraction}"
        )
    return parts


def _from_tfds(data, data_dir, validation_fraction, test_fraction):
    from kerasseq.data import _tfds_builder

    builder = _tfds_builder.prepared_builder(data, data_dir)
    if "text" not in (builder.info.features or {}):
        raise ValueError(
            f"{data!r} must have a feature 'text'. Received: features "
            f"{list(builder.info.features or {})}"
        )
    import tensorflow_datasets as tfds

    texts = {}
    for split in builder.info.splits:
        rows = tfds.as_numpy(builder.as_dataset(split))
        texts[split] = "\n".join(row["text"].decode("utf-8") for row in rows)
    names = ("train", "validation", "test")
    if all(texts.get(name) for name in names):
        return RunningText(data, *(texts[name] for name in names))
    text = "\n".join(texts.values())
    return RunningText(data, *_cut(text, data, validation_fraction, test_fraction))
