"""Batches of pairs of token ids in a few fixed shapes, so that XLA compiles rarely."""

import numpy as np

from kerasseq.data import _epoch_batches

# The ids of the special tokens, as in `subwords`, which cannot be imported here
# because it needs TensorFlow.
PAD_ID, START_ID, END_ID = 0, 2, 3


def choose_buckets(pairs, num_buckets=4, max_length=None, multiple=4):
    """Chooses a few (source, target) lengths that need little padding.

    The lengths are quantiles, each halving what is left (for four buckets 1/2, 3/4,
    7/8 and all): lengths have a long tail, and equally spaced quantiles would pad a
    quarter of the data to the longest sentence. Lengths include the one special token
    that `BucketedPairs` adds on either side.

    Args:
        pairs: List of `(source_ids, target_ids)` without special tokens.
        num_buckets: Integer. Maximum number of buckets; equal ones are merged.
        max_length: Optional integer. Maximum length. Longer pairs are ignored here and
            dropped by `BucketedPairs`.
        multiple: Integer. Lengths are rounded up to a multiple of it (but not beyond
            `max_length`).

    Returns:
        List of `(source_length, target_length)`, growing in both. Every pair within
        `max_length` fits the last one.

    Raises:
        ValueError: If `num_buckets` is not positive, or no pair fits.

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
            "No pair is short enough for a bucket; increase `max_length` or pass more "
            "pairs. "
            f"Received: {len(pairs)} pairs, max_length={max_length}"
        )
    fractions = [1 - 0.5**k for k in range(1, num_buckets)] + [1.0]
    edges = np.quantile(lengths, fractions, axis=0, method="higher")
    edges = -(-edges // multiple) * multiple
    if max_length is not None:
        edges = np.minimum(edges, max_length)
    return sorted({(int(source), int(target)) for source, target in edges})


class BucketedPairs(_epoch_batches.EpochBatches):
    """Batches of `(inputs, labels, sample_weight)` with one shape per bucket.

    A pair goes into the smallest bucket that it fits and is padded with 0 on the
    right. All batches of a bucket have the same number of rows: the last one is filled
    up with rows of padding of weight 0. So a training run has as many distinct shapes
    as there are buckets in use, and XLA compiles as many times.

    The batches of an epoch are a pure function of `(seed, epoch)`: each epoch both the
    pairs in a batch and the order of the batches are shuffled. `fit` advances the epoch
    through `on_epoch_begin` and `on_epoch_end`. To resume a run pass `epoch=`; it then
    gets the same batches as an uninterrupted run. Do not set `steps_per_epoch`, so that
    every epoch is complete.

    Args:
        pairs: List of `(source_ids, target_ids)` without special tokens.
        buckets: List of `(source_length, target_length)`, growing in both, as
            `choose_buckets` returns. Pairs that do not fit the last one are dropped
            and counted in `num_dropped`.
        batch_size: Integer. Number of rows of every batch. `None` with `batch_tokens`.
        seed: Integer. Seed of the order.
        shuffle: Boolean. If `False`, pairs are sorted by length within a bucket and
            the batches are the same each epoch.
        epoch: Integer. The first epoch.
        batch_tokens: Integer. Maximum number of tokens per batch, including padding,
            on the longer side. Batches of short pairs have more rows (Vaswani et al.,
            2017, section 5.1), a multiple of 8 if there are at least 8.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.

    Each item:
        inputs: Dict of int32 arrays: `"source"` of shape `(batch_size, S)`, the source
            and END; `"target"` of shape `(batch_size, T)`, START and the target.
        labels: int32 of shape `(batch_size, T)`, the target and END.
        sample_weight: float32 of shape `(batch_size, T)`, 1 for tokens, 0 for padding.

    Raises:
        ValueError: If buckets do not grow in both lengths, if a batch has no row, if
            both or neither of `batch_size` and `batch_tokens` are given, or if no pair
            fits.

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
                "No pair fits the last bucket; use longer buckets or shorter pairs. "
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
        """The number of target tokens per epoch, with END, without padding."""
        return sum(int(np.count_nonzero(labels)) for _, _, labels in self._tables)

    def tokens_in_batch(self, index):
        """The number of target tokens of one batch, with END, without padding."""
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
        """Computes the list of `(bucket, row indices)`, one per batch."""
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
        self._batches = _epoch_batches.extremes_first(batches)


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
    """The number of rows per batch, for each bucket."""
    if (batch_size is None) == (batch_tokens is None):
        raise ValueError(
            "Pass either `batch_size` or `batch_tokens`. Received: "
            f"batch_size={batch_size}, batch_tokens={batch_tokens}"
        )
    if batch_tokens is None:
        rows = [batch_size] * len(buckets)
    else:
        rows = [batch_tokens // max(bucket) for bucket in buckets]
        rows = [count // 8 * 8 if count > 8 else count for count in rows]
    if min(rows) < 1:
        raise ValueError(
            "A batch must have at least one row: `batch_size` must be at least 1, "
            "`batch_tokens` at least the length of the longest bucket. "
            f"Received: batch_size={batch_size}, "
            f"batch_tokens={batch_tokens}, buckets={buckets}"
        )
    return rows


def _members(pairs, buckets):
    """The indices of the pairs of each bucket, shortest first."""
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
    """Source, target and labels of a bucket; their last row is all padding."""
    source_length, target_length = bucket
    source = np.full((len(pairs) + 1, source_length), PAD_ID, "int32")
    target = np.full((len(pairs) + 1, target_length), PAD_ID, "int32")
    labels = np.full((len(pairs) + 1, target_length), PAD_ID, "int32")
    for row, (source_ids, target_ids) in enumerate(pairs):
        source[row, : len(source_ids) + 1] = [*source_ids, END_ID]
        target[row, : len(target_ids) + 1] = [START_ID, *target_ids]
        labels[row, : len(target_ids) + 1] = [*target_ids, END_ID]
    return source, target, labels
