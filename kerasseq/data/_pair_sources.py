"""Reads pairs of sentences from text files and TFDS."""

import pathlib
import typing

import numpy as np

from kerasseq.data import _table_files, _text_files, _tfds_builder

KINDS = "a TSV file, or two aligned files joined by a comma"
_HEADERS = {("source", "target"), ("src", "tgt"), ("src", "trg")}


class ParallelText(typing.NamedTuple):
    """Pairs of sentences in two languages.

    Args:
        train: List of `(source, target)` pairs of strings.
        validation: List of pairs.
        test: List of pairs. If they were split off, their sources are not in train.
        name: String. Name of the data, for the report.
        num_empty: Number of training pairs that were dropped because a side was empty.
    """

    train: list
    validation: list
    test: list
    name: str
    num_empty: int = 0


def read_files(data):
    """Reads pairs from one TSV file or two line-aligned files."""
    paths = [data] if pathlib.Path(data).is_file() else str(data).split(",")
    if len(paths) == 1:
        return _read_tsv(paths[0])
    if len(paths) != 2:
        raise ValueError(
            "Pass one TSV file, or two aligned files joined by a comma. "
            f"Received: {data!r}"
        )
    sources, targets = (_text_files.read_lines(path, KINDS) for path in paths)
    if len(sources) != len(targets):
        raise ValueError(
            "Line-aligned files must have the same number of lines. Received: "
            f"{paths[0]!r} with {len(sources)}, {paths[1]!r} with {len(targets)}"
        )
    return list(zip(sources, targets, strict=True))


def _read_tsv(path):
    pairs = []
    for number, columns in _table_files.tab_rows(path, KINDS):
        if number == 1 and tuple(x.strip().lower() for x in columns) in _HEADERS:
            _table_files.tell_header(path, number, columns)
            continue
        if len(columns) != 2:
            raise ValueError(
                f"{str(path)!r}, line {number}: expected source<TAB>target, two "
                f"columns. Received: {len(columns)} column(s) in "
                f"{' | '.join(columns)[:60]!r}"
            )
        pairs.append(tuple(columns))
    return pairs


def read_tfds(data, data_dir):
    """Reads the splits of a TFDS data set as lists of pairs."""
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
