"""Reads texts with one label each from TFDS."""

import numpy as np

from kerasseq.data import _text_tables, _tfds_builder

_SPLITS = ("train", "validation", "test")


def read_tfds(data, data_dir, text_column=None, label_column=None):
    """Reads the splits train, validation and test, those that exist.

    Returns:
        `{split: list of Row}`.
    """
    builder = _tfds_builder.prepared_builder(data, data_dir)
    text, label = _keys(builder, data, text_column, label_column)
    return {
        split: _rows(builder, split, text, label)
        for split in _SPLITS
        if split in builder.info.splits
    }


def _keys(builder, data, text_column, label_column):
    import tensorflow_datasets as tfds

    features, keys = builder.info.features, builder.info.supervised_keys or ()
    keys = (*(key for key in keys if isinstance(key, str)), None, None)
    text, label = text_column or keys[0], label_column or keys[1]
    fits = (
        "train" in builder.info.splits
        and {text, label} <= {*features}
        and np.dtype(features[text].np_dtype).hasobject
        and isinstance(features[label], tfds.features.ClassLabel)
    )
    if not fits:
        raise ValueError(
            f"The data set {data!r} needs a train split of texts with one class each; "
            "name them with `text_column` and `label_column`. Received: features "
            f"{[*features]}, text_column={text}, label_column={label}, "
            f"splits={list(builder.info.splits)}"
        )
    return text, label


def _rows(builder, split, text, label):
    import tensorflow_datasets as tfds

    names, found = builder.info.features[label].names, []
    dataset = builder.as_dataset(split=split)
    for number, row in enumerate(tfds.as_numpy(dataset), 1):
        place = f"example {number} of the split {split}"
        name = names[row[label]] if row[label] >= 0 else ""  # -1 without a label
        found.append(_text_tables.Row(row[text].decode(), name, place))
    return found
