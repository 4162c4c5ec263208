"""Batches that go on where the batch before ended, for truncated backpropagation."""

import keras
import numpy as np


class ContiguousBatches(keras.utils.PyDataset):
    """Batches of `(inputs, targets)` from one long text, in the order of the text.

    The text is cut into `batch_size` rows of equal length. Batch `k` holds the columns
    from `k * length` on of every row, so that each row goes on where it ended in the
    batch before: a model that carries its state from batch to batch
    (`kerasseq.training.TruncatedBPTT`) reads `batch_size` texts at once. Targets are
    the inputs shifted by one, each the id that comes next. All batches have one shape,
    and a batch follows from its index alone.

    The ids at the end that fill no more batch are dropped and counted.

    Args:
        ids: One-dimensional array of integers, the whole text.
        batch_size: Rows of every batch.
        length: Columns of every batch, the steps that a gradient goes back.
        **kwargs: `workers`, `use_multiprocessing` and `max_queue_size` of
            `keras.utils.PyDataset`.

    Attributes:
        num_dropped: Number of ids in no batch.
        shapes: The one shape, for `kerasseq.training.count_compiles`.
        epoch: Of no effect: every epoch is the same.

    Each item:
        inputs: int32 `(batch_size, length)`.
        targets: int32 `(batch_size, length)`.

    Raises:
        ValueError: if `ids` is not one-dimensional, not of integers, or too short for
            one batch, or if a size is not positive.

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
        # One id more than the inputs: the last one is only a target.
        self._num_batches = (len(ids) - 1) // (batch_size * length)
        num_inputs = self._num_batches * batch_size * length
        self.num_dropped = len(ids) - num_inputs - 1
        self._inputs = ids[:num_inputs].reshape(batch_size, -1)
        self._targets = ids[1 : num_inputs + 1].reshape(batch_size, -1)

    def __len__(self):
        return self._num_batches

    def tokens_in_batch(self, index):
        """The number of tokens of a batch, all alike."""
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
            "`ids` must be a one-dimensional array of integers; encode the text first, "
            "and join documents with `np.concatenate`. "
            f"Received: an array of shape {ids.shape} and dtype {ids.dtype}"
        )
    if len(ids) < batch_size * length + 1:
        raise ValueError(
            f"One batch needs batch_size * length + 1 = {batch_size * length + 1} ids; "
            "take smaller batches or more text. "
            f"Received: {len(ids)} ids, batch_size={batch_size}, length={length}"
        )
    return ids
