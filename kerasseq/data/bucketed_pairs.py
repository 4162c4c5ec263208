"""Batches of token-id pairs in a few fixed shapes, so that XLA compiles few times."""

import numpy as np

from kerasseq.data import _epoch_batches

# The ids of the special tokens (the same numbers as in `subwords`, which is not
# imported here because it needs TensorFlow).
PAD_ID, START_ID, END_ID = 0, 2, 3


def choose_buckets(pairs, num_buckets=4, max_length=None, multiple=4):
    """Chooses a few (source, target) lengths that waste little on padding.

    Boundaries are quantiles of the lengths, halving what is left each time (for four
    buckets 1/2, 3/4, 7/8 and all): lengths have a long tail, and equal quantiles would
    pad a quarter of the data to the longest sentence. Lengths count the one special
    token that `BucketedPairs` adds on either side.

    Args:
        pairs: list of `(source_ids, target_ids)` without special tokens.
        num_buckets: the most buckets to return; equal ones are merged.
        max_length: int or `None`. The longest length allowed; longer pairs do not
            shape the buckets, and `BucketedPairs` drops them.
        multiple: lengths are rounded up to a multiple of this (but never past
            `max_length`).

    Returns:
        List of `(source_length, target_length)`, growing in both. The last one holds
        every pair that fits `max_length`.

    Raises:
        ValueError: if `num_buckets` is not positive, or no pair fits.

    Example:
        >>> choose_buckets([([5] * 3, [5] * 2), ([5] * 9, [5] * 10)], num_buckets=2)
        [(4, 4), (12, 12)]
    """
    if num_buckets < 1:
        raise ValueError(
            f"`num_buckets` must be at least 1. Received: num_buckets={num_buckets}"
        )
    lengths = np.array([(len(s) + 1, len(t) + 1) for s, t in pairs]).reshape(-1, 2)
    if max_length is not None:
        lengths = lengths[(lengths <= max_length).all(axis=1)]
    if not len(lengths):
        raise ValueError(
            "No pair is short enough for a bucket; raise `max_length` or give pairs. "
            f"Received: {len(pairs)} pairs, max_length={max_length}"
        )
    shares = [1 - 0.5**k for k in range(1, num_buckets)] + [1.0]
    edges = np.quantile(lengths, shares, axis=0, method="higher")
    edges = -(-edges // multiple) * multiple
    if max_length is not None:
        edges = np.minimum(edges, max_length)
    return sorted({(int(source), int(target)) for source, target in edges})


class BucketedPairs(_epoch_batches.EpochBatches):
    """Batches of `(inputs, labels, sample_weight)` with one shape per bucket.

    A pair goes into the smallest bucket that holds it and is padded with 0 on the
    right. Every batch of a bucket has the same number of rows: the last one is filled
    up with rows of padding whose weight is 0. So a training run meets as many distinct
    shapes as there are buckets in use, and XLA compiles as often.

    The batches of an epoch are a pure function of `(seed, epoch)`: both which pairs
    share a batch and the order of the batches are drawn anew each epoch. `fit` advances
    the epoch through `on_epoch_begin` and `on_epoch_end`; a resumed run passes `epoch=`
    and gets the batches that an uninterrupted run would have seen. Leave
    `steps_per_epoch` out, so that every epoch is a whole one.

    Args:
        pairs: list of `(source_ids, target_ids)` without special tokens.
        buckets: list of `(source_length, target_length)`, growing in both, as
            `choose_buckets` returns. Pairs that do not fit the last one are dropped
            and counted in `num_dropped`.
        batch_size: rows of every batch; `None` with `batch_tokens`.
        seed: int. Seed of the order.
        shuffle: if `False`, pairs are sorted by length within a bucket and the batches
            are the same each epoch.
        epoch: number of the epoch to begin with.
        batch_tokens: tokens, padding counted, that a batch has at most on its longer
            side; so short pairs come in larger batches (Vaswani et al., 2017, section
            5.1). Rows are a multiple of 8, where there are as many.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.

    Each item:
        inputs: `{"source": (batch_size, S), "target": (batch_size, T)}`, int32: the
            source and END; START and the target.
        labels: int32 `(batch_size, T)`: the target and END.
        sample_weight: float32 `(batch_size, T)`: 1 for a token, 0 for padding.

    Raises:
        ValueError: for buckets that do not grow in both lengths, for a batch without
            a row, for both sizes of a batch or none, or where no pair fits.

    Example:
        >>> dataset = BucketedPairs([([7, 8], [9])], [(4, 2)], batch_size=1)
        >>> inputs, labels, sample_weight = dataset[0]
        >>> inputs["source"].tolist(), inputs["target"].tolist(), labels.tolist()
        ([[7, 8, 3, 0]], [[2, 9]], [[9, 3]])
    """

    def __init__(
        self,
        pairs,
        buckets,
        batch_size=None,
        seed=0,
        shuffle=True,
        epoch=0,
        batch_tokens=None,
        **kwargs,
    ):
        self.buckets = _check_buckets(buckets)
        self._num_rows = _rows_of_batches(self.buckets, batch_size, batch_tokens)
        self.seed = seed
        self.shuffle = shuffle
        members = _members(pairs, self.buckets)
        self._tables = [
            _table([pairs[i] for i in rows], bucket)
            for rows, bucket in zip(members, self.buckets, strict=True)
        ]
        self.num_pairs = sum(map(len, members))
        self.num_dropped = len(pairs) - self.num_pairs
        if not self.num_pairs:
            raise ValueError(
                "No pair fits the last bucket; give longer buckets or other pairs. "
                f"Received: {len(pairs)} pairs, buckets={self.buckets}"
            )
        super().__init__(epoch=epoch, **kwargs)

    @property
    def shapes(self):
        """The distinct `(batch_size, source_length, target_length)` in use."""
        used = sorted({bucket for bucket, _ in self._batches})
        return [(self._num_rows[bucket], *self.buckets[bucket]) for bucket in used]

    @property
    def num_tokens(self):
        """Target tokens (END counted, padding not) of one epoch."""
        return sum(int(np.count_nonzero(labels)) for _, _, labels in self._tables)

    def tokens_in_batch(self, index):
        """The number of target tokens (END counted, padding not) of one batch."""
        bucket, rows = self._batches[index]
        return int(np.count_nonzero(self._tables[bucket][2][rows]))

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, index):
        bucket, rows = self._batches[index]
        self._count(index)
        source, target, labels = (table[rows] for table in self._tables[bucket])
        sample_weight = (labels != PAD_ID).astype("float32")
        return {"source": source, "target": target}, labels, sample_weight

    def _set_order(self, epoch):
        """Makes the list of `(bucket, row numbers)`, one per batch."""
        generator = np.random.default_rng([self.seed, epoch])
        batches = []
        for bucket, (source, _, _) in enumerate(self._tables):
            padding_row = len(source) - 1
            rows = np.arange(padding_row)
            if self.shuffle:
                generator.shuffle(rows)
            size = self._num_rows[bucket]
            rows = np.pad(rows, (0, -len(rows) % size), constant_values=padding_row)
            batches += [(bucket, part) for part in rows.reshape(-1, size)]
        if self.shuffle:
            batches = [batches[i] for i in generator.permutation(len(batches))]
        self._batches = _extremes_first(batches)


def _extremes_first(batches):
    # Keras takes the tensor spec for tf.data from the first two batches, and only a
    # dimension in which they differ becomes flexible. The smallest and the largest
    # bucket differ in every length that differs at all, because buckets grow in both,
    # and in the rows, which fall as they grow.
    used = [bucket for bucket, _ in batches]
    for place, bucket in enumerate((min(used), max(used))):
        found = next(
            (i for i in range(place, len(batches)) if batches[i][0] == bucket), place
        )
        if place < len(batches):
            batches[place], batches[found] = batches[found], batches[place]
    return batches


def _check_buckets(buckets):
    buckets = [(int(source), int(target)) for source, target in buckets]
    growing = all(
        a[0] <= b[0] and a[1] <= b[1] and a != b
        for a, b in zip(buckets, buckets[1:], strict=False)
    )
    if not buckets or not growing or min(buckets[0]) < 1:
        raise ValueError(
            "`buckets` must be (source_length, target_length) pairs of positive "
            f"lengths that grow in both, as choose_buckets() returns them. Received: "
            f"buckets={buckets}"
        )
    return buckets


def _rows_of_batches(buckets, batch_size, batch_tokens):
    """The rows of a batch, for each bucket."""
    if (batch_size is None) == (batch_tokens is None):
        raise ValueError(
            "Give either `batch_size` or `batch_tokens`. Received: "
            f"batch_size={batch_size}, batch_tokens={batch_tokens}"
        )
    if batch_tokens is None:
        rows = [batch_size] * len(buckets)
    else:
        rows = [batch_tokens // max(bucket) for bucket in buckets]
        rows = [count // 8 * 8 if count > 8 else count for count in rows]
    if min(rows) < 1:
        raise ValueError(
            "A batch must have a row at least: `batch_size` 1 or more, `batch_tokens` "
            f"the length of the longest bucket. Received: batch_size={batch_size}, "
            f"batch_tokens={batch_tokens}, buckets={buckets}"
        )
    return rows


def _members(pairs, buckets):
    """For each bucket the numbers of its pairs, shortest first."""
    members = [[] for _ in buckets]
    for number, (source, target) in enumerate(pairs):
        for bucket, (source_length, target_length) in enumerate(buckets):
            if len(source) < source_length and len(target) < target_length:
                members[bucket].append(number)
                break
    for rows in members:
        rows.sort(key=lambda i: (len(pairs[i][1]), len(pairs[i][0])))
    return members


def _table(pairs, bucket):
    """Source, target and labels of a bucket; the last row of each is all padding."""
    source_length, target_length = bucket
    source = np.full((len(pairs) + 1, source_length), PAD_ID, "int32")
    target = np.full((len(pairs) + 1, target_length), PAD_ID, "int32")
    labels = np.full((len(pairs) + 1, target_length), PAD_ID, "int32")
    for row, (source_ids, target_ids) in enumerate(pairs):
        source[row, : len(source_ids) + 1] = [*source_ids, END_ID]
        target[row, : len(target_ids) + 1] = [START_ID, *target_ids]
        labels[row, : len(target_ids) + 1] = [*target_ids, END_ID]
    return source, target, labels
