"""Pairs of sentences, and where they are read from: text files and TFDS."""

import pathlib
import typing

import numpy as np

from kerasseq.data import _text_files, _tfds_builder

KINDS = "a TSV file, or two aligned files joined by a comma"


class ParallelText(typing.NamedTuple):
    """Pairs of sentences in two languages.

    Args:
        train: list of `(source, target)` str pairs.
        validation: likewise, as every pair below.
        test: pairs whose sources do not stand in train, where they were split off.
        name: str, what the data is, for the report.
        num_empty: training pairs left out because one side was empty.
    """

    train: list
    validation: list
    test: list
    name: str
    num_empty: int = 0


def read_files(data):
    """Pairs from one TSV file or from two line-aligned files."""
    paths = [data] if pathlib.Path(data).is_file() else str(data).split(",")
    if len(paths) == 1:
        return _read_tsv(paths[0])
    if len(paths) != 2:
        raise ValueError(
            "Give one TSV file or two aligned files joined by one comma. "
            f"Received: {data!r}"
        )
    sources, targets = (_text_files.read_lines(path, KINDS) for path in paths)
    if len(sources) != len(targets):
        raise ValueError(
            f"Line-aligned files must have equally many lines: {paths[0]!r} has "
            f"{len(sources)}, {paths[1]!r} has {len(targets)}; align them"
        )
    return list(zip(sources, targets, strict=True))


def _read_tsv(path):
    pairs = []
    for number, line in enumerate(_text_files.read_lines(path, KINDS), 1):
        columns = line.split("\t")
        if len(columns) != 2:
            raise ValueError(
                f"{str(path)!r}, line {number}: expected source<TAB>target, two "
                f"columns. Received: {len(columns)} column(s) in {line[:60]!r}"
            )
        pairs.append(tuple(columns))
    return pairs


def read_tfds(data, data_dir):
    """The splits of a TFDS data set as lists of pairs."""
    builder = _tfds_builder.prepared_builder(data, data_dir)
    wanted = {"train", "validation", "test"} & builder.info.splits.keys()
    keys = builder.info.supervised_keys
    features = builder.info.features
    if "train" not in wanted or not keys or not _are_texts(features, keys[:2]):
        raise ValueError(
            f"The TFDS data set {data.removeprefix('tfds:')!r} is not parallel text: "
            "pairs of sentences with a train split are needed. Received: "
            f"supervised_keys={keys}"
        )
    return {split: _tfds_pairs(builder, split) for split in wanted}


def _are_texts(features, keys):
    return all(np.dtype(features[key].np_dtype).hasobject for key in keys)


def _tfds_pairs(builder, split):
    import tensorflow_datasets as tfds

    dataset = builder.as_dataset(split=split, as_supervised=True)
    return [(s.decode(), t.decode()) for s, t in tfds.as_numpy(dataset)]
