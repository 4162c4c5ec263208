"""Base class of batches of rows of a few fixed lengths, so that XLA compiles rarely."""

import keras
import numpy as np

from kerasseq.data import _epoch_batches
from kerasseq.lite import _words


def choose_lengths(ids, num_lengths=3, max_length=256, multiple=4):
    """Chooses a few lengths that need little padding.

    They are quantiles, each halving what is left: lengths of texts have a long tail.

    Args:
        ids: List of integer arrays, the texts.
        num_lengths: Integer. How many at most; equal ones are merged.
        max_length: Integer. The longest, whatever the texts have.
        multiple: Integer. Lengths are rounded up to a multiple of it, but not beyond
            `max_length`.

    Returns:
        A growing list of integers.

    Raises:
        ValueError: If there is no text, or a number is not positive.

    Example:
        >>> choose_lengths([[5] * 3, [5] * 3, [5] * 9], num_lengths=2)
        [4, 12]
    """
    if not len(ids) or min(num_lengths, max_length, multiple) < 1:
        raise ValueError(
            "Lengths need texts, and positive `num_lengths` and `max_length`. Received:"
            f" {len(ids)} texts, num_lengths={num_lengths}, max_length={max_length}"
        )
    fractions = [1 - 0.5**k for k in range(1, num_lengths)] + [1.0]
    edges = np.quantile([len(row) for row in ids], fractions, method="higher")
    edges = np.minimum(-(-edges // multiple) * multiple, max_length)
    return sorted({int(edge) for edge in edges})


class LengthBatches(_epoch_batches.EpochBatches):
    """Batches whose rows all have one of a few lengths.

    All batches have the same number of rows: the last of a length is filled up with
    the last row of its table. A batch is a pure function of `(seed, epoch, index)`.

    Args:
        tables: A list for each length: tuples or dicts of arrays, the last row of
            which fills up.
        lengths: Growing list of integers.
        batch_size: Integer. Number of rows of every batch.
        shuffle: Boolean, whether the order changes each epoch.
        seed: Integer. Seed of the order.
        epoch: Integer. The first epoch.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.
    """

    def __init__(
        self, tables, lengths, batch_size, shuffle=True, seed=0, epoch=0, **kwargs
    ):
        self._tables, self.lengths = tables, list(lengths)
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        super().__init__(epoch=epoch, **kwargs)

    @property
    def shapes(self):
        """The distinct `(batch_size, length)` in use."""
        used = sorted({place for place, _ in self._batches})
        return [(self.batch_size, self.lengths[place]) for place in used]

    def __len__(self):
        return len(self._batches)

    def rows_of_batch(self, index):
        """The arrays of a batch, with the structure of its table."""
        place, rows = self._batches[index]
        return keras.tree.map_structure(lambda x: x[rows], self._tables[place])

    def with_unknown(self, words, index, rate):
        """The numbers of words, a fraction of them as that of the unknown word.

        Args:
            words: int32 `(batch_size, length)`.
            index: Number of the batch.
            rate: The fraction, of words but not of padding.
        """
        # The last number separates these random draws from those of the order.
        generator = np.random.default_rng([self.seed, self.epoch, index, 1])
        dropped = generator.random(words.shape) < rate
        dropped &= words != _words.PADDING
        return np.where(dropped, np.int32(_words.UNKNOWN), words)

    def _set_order(self, epoch):
        """Computes the list of `(place of the length, rows)`, one per batch."""
        generator = np.random.default_rng([self.seed, epoch])
        batches = []
        for place, table in enumerate(self._tables):
            filling = len(keras.tree.flatten(table)[0]) - 1
            rows = np.arange(filling)
            if self.shuffle:
                generator.shuffle(rows)
            fill = -len(rows) % self.batch_size
            rows = np.pad(rows, (0, fill), constant_values=filling)
            batches += [(place, part) for part in rows.reshape(-1, self.batch_size)]
        if self.shuffle:
            batches = [batches[i] for i in generator.permutation(len(batches))]
        self._batches = _epoch_batches.extremes_first(batches)
