"""Batches that know which epoch they belong to, so that a run can be resumed."""

import keras


class EpochBatches(keras.utils.PyDataset):
    """A data set whose order is a function of its `epoch`.

    `fit` advances the epoch through `on_epoch_begin` and `on_epoch_end`. A subclass
    may make an order in `_set_order`, and calls `_count` for each batch that it serves.

    Args:
        epoch: number of the epoch to begin with.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.

    Raises:
        ValueError: for `use_multiprocessing`.
    """

    def __init__(self, epoch=0, **kwargs):
        if kwargs.get("use_multiprocessing"):
            raise ValueError(
                f"`{type(self).__name__}` does not work in other processes: the order "
                "lives in this one. Received: use_multiprocessing=True; leave it out"
            )
        super().__init__(**kwargs)
        self._begun, self._served = False, set()
        self.epoch = epoch

    @property
    def epoch(self):
        """The epoch whose batches are served; setting it rebuilds the order."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch):
        self._epoch = epoch
        self._set_order(epoch)

    def on_epoch_begin(self):
        # With several workers Keras has begun to fetch before it calls this, so what
        # has been served is not forgotten here.
        self._begun = True

    def on_epoch_end(self):
        # `fit` calls this more often than an epoch ends: once before the first epoch,
        # and after the single batch from which an unbuilt model takes its shapes. Only
        # an epoch that was begun and served whole counts, in any order.
        if self._begun and len(self._served) == len(self):
            self.epoch += 1
        self._begun, self._served = False, set()

    def _set_order(self, epoch):
        """Makes the order of an epoch, unless the index alone says what is served."""

    def _count(self, index):
        self._served.add(index)
