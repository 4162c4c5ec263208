"""Batches of tagged sentences in a few fixed lengths, so that XLA compiles rarely."""

import numpy as np

from kerasseq.data import _length_batches


class TaggedBatches(_length_batches.LengthBatches):
    """Batches of `(inputs, tags, sample_weight)` with one shape per length.

    A sentence goes into the shortest length that it fits and is padded with 0 on the
    right; longer ones than the last are left out and counted. All batches have the
    same number of rows: the last of a length is filled up with rows of weight 0.

    A batch is a pure function of `(seed, epoch, index)`. `fit` advances the epoch. To
    resume a run pass `epoch=`; it then gets the same batches as an uninterrupted run.

    Args:
        sentences: List of `(words, tags)`, two lists of strings each.
        features: A `kerasseq.data.WordFeatures`.
        batch_size: Integer. Number of rows of every batch.
        lengths: Growing list of integers. By default few that need little padding, up
            to the longest sentence.
        word_dropout: Float between 0 and 1. Fraction of the words that are taken for
            unknown, others each epoch. It is what teaches the unknown word.
        shuffle: Boolean, whether the order changes each epoch.
        seed: Integer. Seed of the order and of what is dropped.
        epoch: Integer. The first epoch.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.

    Attributes:
        num_dropped: Number of sentences that were left out.

    Each item:
        inputs: Dict of int32 arrays, see `WordFeatures.encode`, with a batch axis.
        tags: int32 of shape `(batch_size, length)`.
        sample_weight: float32 of shape `(batch_size, length)`, 1 for words.

    Raises:
        ValueError: If no sentence fits, or sizes and rates are out of range.

    Example:
        >>> features = WordFeatures.train([(["a", "bat"], ["O", "ANIMAL"])])
        >>> batches = TaggedBatches([(["a", "bat"], ["O", "ANIMAL"])], features, 1)
        >>> batches[0][1].tolist()
        [[1, 0]]
    """

    def __init__(
        self,
        sentences,
        features,
        batch_size,
        *,
        lengths=None,
        word_dropout=0.0,
        shuffle=True,
        seed=0,
        epoch=0,
        **kwargs,
    ):
        sizes = np.array([len(words) for words, _ in sentences], int)
        if lengths is None and len(sizes) and sizes.min():
            words = [words for words, _ in sentences]
            lengths = _length_batches.choose_lengths(words, max_length=sizes.max())
        _check(sizes, batch_size, lengths, word_dropout)
        self.word_dropout = word_dropout
        self.num_dropped = int(np.sum(sizes > lengths[-1]))
        places = np.searchsorted(lengths, sizes)
        tables = [
            _table([sentences[i] for i in np.flatnonzero(places == k)], features, size)
            for k, size in enumerate(lengths)
        ]
        options = {"shuffle": shuffle, "seed": seed, "epoch": epoch}
        super().__init__(tables, lengths, batch_size, **options, **kwargs)

    def tokens_in_batch(self, index):
        """The number of words of one batch, without padding."""
        return int(self.rows_of_batch(index)[2].sum())

    def __getitem__(self, index):
        self._count(index)
        inputs, tags, weights = self.rows_of_batch(index)
        if self.word_dropout:
            words = self.with_unknown(inputs["words"], index, self.word_dropout)
            inputs = inputs | {"words": words}
        return inputs, tags, weights


def _table(sentences, features, length):
    """Inputs, tags and weights of a length; the last row fills up, weight 0."""
    numbers = {tag: number for number, tag in enumerate(features.tags)}
    filling = (["."], features.tags[:1])  # a sentence has at least one word
    rows = [features.encode(words, length) for words, _ in [*sentences, filling]]
    inputs = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    tags = np.zeros((len(rows), length), "int32")
    weights = np.zeros((len(rows), length), "float32")
    for row, (_, names) in enumerate(sentences):
        tags[row, : len(names)] = [numbers[name] for name in names]
        weights[row, : len(names)] = 1
    return inputs, tags, weights


def _check(sizes, batch_size, lengths, word_dropout):
    if not len(sizes) or sizes.min() < 1:
        raise ValueError(
            "There must be sentences, and words in each. Received: "
            f"{len(sizes)} sentences, {int(np.sum(sizes < 1))} without words"
        )
    growing = len(lengths) and np.all(np.diff([0, *lengths]) > 0)
    if batch_size < 1 or not growing or not 0 <= word_dropout < 1:
        raise ValueError(
            "`batch_size` must be positive, `lengths` positive and growing, and "
            f"`word_dropout` in [0, 1). Received: batch_size={batch_size}, "
            f"lengths={list(lengths)}, word_dropout={word_dropout}"
        )
    if sizes.min() > lengths[-1]:
        raise ValueError(
            "No sentence fits; use longer `lengths`. Received: the shortest sentence "
            f"has {sizes.min()} words, lengths={list(lengths)}"
        )
