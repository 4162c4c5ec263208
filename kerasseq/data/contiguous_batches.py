"""Batches that continue the batch before, for truncated backpropagation."""

import keras
import numpy as np


class ContiguousBatches(keras.utils.PyDataset):
    """Batches of `(inputs, targets)` from one long text, in the order of the text.

    The text is split into `batch_size` rows of equal length. Batch `k` holds `length`
    columns of every row, from column `k * length` on, so that each row continues where
    it ended in the batch before. A model that keeps its state between batches
    (`kerasseq.training.TruncatedBPTT`) thus reads `batch_size` texts in parallel.
    Targets are the inputs shifted by one: the next id at each position. All batches
    have the same shape, and a batch depends on its index alone.

    Ids at the end that do not fill another batch are dropped and counted.

    Args:
        ids: One-dimensional integer array, the whole text.
        batch_size: Integer. Number of rows of every batch.
        length: Integer. Number of columns of every batch, the number of steps that
            gradients are propagated back.
        **kwargs: `workers`, `use_multiprocessing` and `max_queue_size` of
            `keras.utils.PyDataset`.

    Attributes:
        num_dropped: Number of dropped ids.
        shapes: List of the one batch shape, for `kerasseq.training.count_compiles`.
        epoch: Has no effect: all epochs are the same.

    Each item:
        inputs: int32 of shape `(batch_size, length)`.
        targets: int32 of shape `(batch_size, length)`.

    Raises:
        ValueError: If `ids` is not one-dimensional, does not hold integers, or is too
            short for one batch, or if a size is not positive.

    Example:
        >>> batches = ContiguousBatches(np.arange(10), batch_size=2, length=2)
        >>> inputs, targets = batches[1]
        >>> inputs.tolist(), targets.tolist()
        ([[2, 3], [6, 7]], [[3, 4], [7, 8]])

    Reference:
        Mikolov et al. (2010), Recurrent neural network based language model.
    """

    def __init__(self, ids, batch_size, length, **kwargs):
        super().__init__(**kwargs)
        ids = _check(np.asarray(ids), batch_size, length)
        self.batch_size = batch_size
        self.length = length
        self.shapes = [(batch_size, length)]
        self.epoch = 0
        # One more id than inputs: the last one is only a target.
        self._num_batches = (len(ids) - 1) // (batch_size * length)
        num_inputs = self._num_batches * batch_size * length
        self.num_dropped = len(ids) - num_inputs - 1
        # (batch_size, num_batches * length)
        self._inputs = ids[:num_inputs].reshape(batch_size, -1)
        self._targets = ids[1 : num_inputs + 1].reshape(batch_size, -1)

    def __len__(self):
        return self._num_batches

    def tokens_in_batch(self, index):
        """The number of tokens of a batch, the same for all batches."""
        return self.batch_size * self.length

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index={index}")
        columns = slice(index * self.length, (index + 1) * self.length)
        inputs, targets = self._inputs[:, columns], self._targets[:, columns]
        return inputs.astype("int32"), targets.astype("int32")


def _check(ids, batch_size, length):
    if batch_size < 1 or length < 1:
        raise ValueError(
            "`batch_size` and `length` must be at least 1. "
            f"Received: batch_size={batch_size}, length={length}"
        )
    if ids.ndim != 1 or not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(
            "`ids` must be a one-dimensional integer array; encode the text first, and "
            "join documents with `np.concatenate`. "
            f"Received: an array of shape {ids.shape} and dtype {ids.dtype}"
        )
    if len(ids) < batch_size * length + 1:
        raise ValueError(
            f"One batch needs batch_size * length + 1 = {batch_size * length + 1} ids; "
            "use smaller batches or more text. "
            f"Received: {len(ids)} ids, batch_size={batch_size}, length={length}"
        )
    return ids
