"""Batches of texts with labels in a few fixed lengths, so that XLA compiles rarely."""

import numpy as np

from kerasseq.data import _length_batches
from kerasseq.lite import _words


class LabeledTextBatches(_length_batches.LengthBatches):
    """Batches of `(tokens, targets, sample_weight)` with one shape per length.

    A text goes into the shortest length that it fits and is padded with 0 on the
    right; a longer one than the last is cut at its end and counted. All batches have
    the same number of rows: the last of a length is filled up with rows of weight 0.

    A batch is a pure function of `(seed, epoch, index)`. `fit` advances the epoch. To
    resume a run pass `epoch=`; it then gets the same batches as an uninterrupted run.
    Do not set `steps_per_epoch`.

    Args:
        ids: List of integer arrays, the words of each text, as
            `kerasseq.data.Words.encode` returns them.
        labels: Integer array `(num_texts,)`.
        batch_size: Integer. Number of rows of every batch.
        lengths: Growing list of integers, as `choose_lengths` returns.
        num_classes: Integer. Labels are below it.
        class_weights: Dict from class to weight, as `kerasseq.data.class_weights`
            returns. Defaults to 1.
        word_dropout: Float between 0 and 1. Fraction of the words that are taken for
            unknown, others each epoch (Iyyer et al., 2015, drop them). With a
            vocabulary of all training words it is what teaches the unknown word.
        shuffle: Boolean, whether the order changes each epoch.
        seed: Integer. Seed of the order and of what is dropped.
        epoch: Integer. The first epoch.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.

    Attributes:
        num_texts: Number of texts.
        num_cut: Number of texts that were cut.
        shapes: List of the distinct `(batch_size, length)` in use.

    Each item:
        tokens: int32 of shape `(batch_size, length)`.
        targets: float32 of shape `(batch_size, num_classes)`, one-hot.
        sample_weight: float32 of shape `(batch_size,)`.

    Raises:
        ValueError: For lengths that do not grow, labels that do not match, a text
            without words, or a size or rate out of range.

    Example:
        >>> batches = LabeledTextBatches(
        ...     [[5, 7, 9], [6]], [0, 1], batch_size=2, lengths=[4], num_classes=2
        ... )
        >>> [part.shape for part in batches[0]]
        [(2, 4), (2, 2), (2,)]

    Reference:
        Iyyer et al. (2015), Deep Unordered Composition Rivals Syntactic Methods for
        Text Classification, section 3.
    """

    def __init__(
        self,
        ids,
        labels,
        batch_size,
        *,
        lengths,
        num_classes,
        class_weights=None,
        word_dropout=0.0,
        shuffle=True,
        seed=0,
        epoch=0,
        **kwargs,
    ):
        labels = np.asarray(labels)
        _check(ids, labels, batch_size, lengths, num_classes, word_dropout)
        self.num_classes, self.word_dropout = num_classes, word_dropout
        self.num_texts = len(ids)
        self.num_cut = sum(len(row) > lengths[-1] for row in ids)
        weights = np.array(
            [(class_weights or {}).get(k, 1.0) for k in range(num_classes)], "float32"
        )
        places = np.searchsorted(lengths, [min(len(x), lengths[-1]) for x in ids])
        tables = [
            _table(ids, labels, weights, np.flatnonzero(places == k), length)
            for k, length in enumerate(lengths)
        ]
        options = {"shuffle": shuffle, "seed": seed, "epoch": epoch}
        super().__init__(tables, lengths, batch_size, **options, **kwargs)

    def tokens_in_batch(self, index):
        """The number of words of one batch, without padding."""
        tokens, _, weights = self.rows_of_batch(index)
        return int(np.count_nonzero(tokens[weights > 0]))

    def __getitem__(self, index):
        self._count(index)
        tokens, labels, weights = self.rows_of_batch(index)
        if self.word_dropout:
            tokens = self.with_unknown(tokens, index, self.word_dropout)
        return tokens, np.eye(self.num_classes, dtype="float32")[labels], weights


def _table(ids, labels, weights, members, length):
    """Tokens, labels and weights of a length; the last row fills up, weight 0."""
    tokens = np.zeros((len(members) + 1, length), "int32")
    tokens[-1, 0] = _words.UNKNOWN  # a text has at least one word
    for row, member in enumerate(members):
        kept = ids[member][:length]
        tokens[row, : len(kept)] = kept
    kept = labels[members].astype("int32")
    return tokens, np.append(kept, np.int32(0)), np.append(weights[kept], np.float32(0))


def _check(ids, labels, batch_size, lengths, num_classes, word_dropout):
    growing = len(lengths) and np.all(np.diff([0, *lengths]) > 0)
    if batch_size < 1 or not growing or not 0 <= word_dropout < 1:
        raise ValueError(
            "`batch_size` must be positive, `lengths` positive and growing, and "
            f"`word_dropout` in [0, 1). Received: batch_size={batch_size}, "
            f"lengths={list(lengths)}, word_dropout={word_dropout}"
        )
    if not len(ids) or labels.shape != (len(ids),) or labels.dtype.kind not in "iu":
        raise ValueError(
            "There must be one integer label for each text. Received: "
            f"{len(ids)} texts, labels of shape {labels.shape} and {labels.dtype}"
        )
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"Labels must be from 0 to {num_classes - 1}. Received: labels from "
            f"{labels.min()} to {labels.max()}, num_classes={num_classes}"
        )
    empty = next((i for i, row in enumerate(ids) if not len(row)), None)
    if empty is not None:
        raise ValueError(f"A text needs words. Received: none in ids[{empty}]")
