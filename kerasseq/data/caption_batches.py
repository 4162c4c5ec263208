"""Batches of images and captions in one fixed shape, for teacher forcing."""

import numpy as np

from kerasseq.data import _augmentation, _epoch_batches

# As in `words`.
PAD_ID, START_ID, END_ID = 0, 2, 3


class CaptionBatches(_epoch_batches.EpochBatches):
    """Batches of `(inputs, labels, sample_weight)` of one shape, for `fit`.

    Each caption is an example, with its image. The last batch is filled up with rows
    of padding of weight 0. The batches of an epoch, and their random augmentation, are
    a pure function of `(seed, epoch)`, which `fit` advances; see
    `kerasseq.data.BucketedPairs`.

    Args:
        images: uint8 array of shape `(num_images, height, width, channels)`.
        captions: List with a list of captions for each image; a caption is a list of
            ids without special tokens. Those that do not fit `max_length` are dropped
            and counted in `num_dropped`.
        max_length: Integer. Tokens of a caption, the end included.
        batch_size: Integer. Number of rows of every batch.
        augment: List of Keras' augmentation layers, applied in this order. Captions
            do not change: leave out what makes them wrong, as flips make "left of".
        shuffle: Boolean, whether the order changes each epoch.
        seed: Integer. Seed of the order and of the augmentation.
        epoch: Integer. The first epoch.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.

    Attributes:
        num_pairs: Number of captions in the batches.
        num_dropped: Number of captions that are too long.
        shapes: List of the one shape `(batch_size, max_length)`.

    Each item:
        inputs: Dict of `"image"`, float32 of shape `(batch_size, height, width,
            channels)`, 0 to 255, and `"target"`, int32 of shape `(batch_size,
            max_length)`, START and the caption.
        labels: int32 of shape `(batch_size, max_length)`, the caption and END.
        sample_weight: float32 of the same shape, 1 for tokens, 0 for padding.

    Raises:
        ValueError: If there are not as many lists of captions as images, a size is not
            positive, or no caption fits.

    Example:
        >>> images = np.zeros((1, 8, 8, 3), "uint8")
        >>> inputs, labels, _ = CaptionBatches(images, [[[7, 8]]], 4, batch_size=1)[0]
        >>> inputs["target"].tolist(), labels.tolist()
        ([[2, 7, 8, 0]], [[7, 8, 3, 0]])
    """

    def __init__(
        self,
        images,
        captions,
        max_length,
        batch_size,
        *,
        augment=(),
        shuffle=True,
        seed=0,
        epoch=0,
        **kwargs,
    ):
        _check(images, captions, max_length, batch_size)
        self._images = np.asarray(images)
        self.batch_size, self.max_length = batch_size, max_length
        self.shuffle, self.seed = shuffle, seed
        self._augment = _augmentation.Augmentation([*augment])
        pairs = [(row, ids) for row, rows in enumerate(captions) for ids in rows]
        kept = [(row, ids) for row, ids in pairs if len(ids) < max_length]
        self.num_pairs, self.num_dropped = len(kept), len(pairs) - len(kept)
        if not kept:
            raise ValueError(
                "No caption is short enough; increase `max_length`, or pass captions. "
                f"Received: {len(pairs)} captions, max_length={max_length}"
            )
        self._rows = np.array([row for row, _ in kept])
        self._labels = _table([ids for _, ids in kept], max_length)
        super().__init__(epoch=epoch, **kwargs)

    @property
    def shapes(self):
        return [(self.batch_size, self.max_length)]

    def tokens_in_batch(self, index):
        """The number of tokens of one batch, with END, without padding."""
        return int(np.count_nonzero(self._labels[self._pairs(index)]))

    def __len__(self):
        return -(-self.num_pairs // self.batch_size)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index={index}")
        self._count(index)
        pairs = self._pairs(index)
        labels = self._labels[pairs]
        weights = (labels != PAD_ID).astype("float32")
        target = np.roll(labels, 1, axis=1)
        target[:, 0] = START_ID
        target[target == END_ID] = PAD_ID
        # What fills a batch up has weight 0, but counts in a batch normalization: it
        # is other images, not one again and again.
        shown = np.where(pairs < 0, np.resize(self._order, len(pairs)), pairs)
        images = self._images[self._rows[shown]].astype("float32")
        # The last number separates these random draws from those of the order.
        images = self._augment({"images": images}, [self.seed, self.epoch, index, 1])
        return {"image": images["images"], "target": target}, labels, weights

    def _pairs(self, index):
        """The pairs of a batch; what fills it up is the last, which is padding."""
        found = self._order[index * self.batch_size :][: self.batch_size]
        missing = self.batch_size - len(found)
        return np.pad(found, (0, missing), constant_values=-1)

    def _set_order(self, epoch):
        self._order = np.arange(self.num_pairs)
        if self.shuffle:
            np.random.default_rng([self.seed, epoch]).shuffle(self._order)


def _table(captions, max_length):
    """Labels; their last row is all padding."""
    labels = np.full((len(captions) + 1, max_length), PAD_ID, "int32")
    for row, ids in zip(labels, captions, strict=False):
        row[: len(ids) + 1] = [*ids, END_ID]
    return labels


def _check(images, captions, max_length, batch_size):
    if len(images) != len(captions):
        raise ValueError(
            "There must be a list of captions for each image. Received: "
            f"{len(images)} images, {len(captions)} lists of captions"
        )
    if min(max_length, batch_size) < 1:
        raise ValueError(
            "`max_length` and `batch_size` must be at least 1. Received: "
            f"max_length={max_length}, batch_size={batch_size}"
        )
