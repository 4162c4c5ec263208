"""Base class of batches that depend on the epoch, so that a run can be resumed."""

import keras


class EpochBatches(keras.utils.PyDataset):
    """A data set whose order is a function of its `epoch`.

    `fit` advances the epoch through `on_epoch_begin` and `on_epoch_end`. A subclass
    may compute an order in `_set_order`, and must call `_count` for each batch that it
    serves.

    Args:
        epoch: Integer. The first epoch.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.

    Raises:
        ValueError: For `use_multiprocessing=True`.
    """

    def __init__(self, epoch=0, **kwargs):
        if kwargs.get("use_multiprocessing"):
            raise ValueError(
                f"`{type(self).__name__}` does not work in other processes, which do "
                "not see the epoch advance; leave `use_multiprocessing` out. "
                "Received: use_multiprocessing=True"
            )
        super().__init__(**kwargs)
        self._begun, self._served = False, set()
        self.epoch = epoch

    @property
    def epoch(self):
        """The epoch whose batches are served. Setting it computes a new order."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch):
        self._epoch = epoch
        self._set_order(epoch)

    def on_epoch_begin(self):
        # With several workers Keras fetches batches before it calls this, so
        # `_served` is not reset here.
        self._begun = True

    def on_epoch_end(self):
        # `fit` calls this also before the first epoch, and after the single batch from
        # which an unbuilt model takes its shapes. Only an epoch that was begun and of
        # which all batches were served counts.
        if self._begun and len(self._served) == len(self):
            self.epoch += 1
        self._begun, self._served = False, set()

    def _set_order(self, epoch):
        """Computes the order of an epoch, if batches depend on more than the index."""

    def _count(self, index):
        self._served.add(index)


def extremes_first(batches):
    """Pairs of a bucket and rows, with the smallest and the largest bucket first."""
    # Keras derives the tensor spec for tf.data from the first two batches: only axes
    # in which they differ become dynamic. The smallest and the largest bucket differ in
    # every axis that varies at all, since lengths grow and rows shrink with the bucket.
    used = [bucket for bucket, _ in batches]
    for place, bucket in enumerate((min(used), max(used))):
        other = next(
            (i for i in range(place, len(batches)) if batches[i][0] == bucket), place
        )
        if place < len(batches):
            batches[place], batches[other] = batches[other], batches[place]
    return batches
