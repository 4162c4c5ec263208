"""Batches of windows of series: what was, and what came."""

import numpy as np

from kerasseq.data import _epoch_batches


class WindowBatches(_epoch_batches.EpochBatches):
    """Batches of `(inputs, targets, sample_weight)` of windows of series, for `fit`.

    A window is a history of `look_back` rows and the `horizon` rows after it. There
    is one for each row that its forecast can begin with: the rows of the forecast lie
    in the `ranges`, the history may lie before them. A window is cut out when its
    batch is made; nothing is copied for each window before.

    Every batch has `batch_size` rows. With `shuffle=True` the windows left over at
    the end of an epoch are dropped, different ones each epoch. Otherwise the last
    batch is filled up with windows of weight 0: pass metrics to `compile` as
    `weighted_metrics`. A batch is a pure function of `(seed, epoch, index)`. Call
    `fit` with `shuffle=False`.

    Args:
        series: List of float arrays `(num_rows, num_columns)`, targets first.
        look_back: Integer. Rows of the history.
        horizon: Integer. Rows of the forecast.
        batch_size: Integer. Number of windows of every batch.
        num_targets: Integer. Columns that are forecast; all by default.
        ranges: List of pairs `(begin, end)` of rows, one for each series; all rows
            by default.
        calendar: Optional list of float arrays `(num_rows, num_features)`, known in
            the future.
        shuffle: Boolean, whether the order changes each epoch.
        seed: Integer. Seed of the order.
        epoch: Integer. The first epoch.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.

    Attributes:
        num_windows: Number of windows.
        shapes: List of the one shape of the histories.

    Each item:
        inputs: A dict of float32 `history` `(batch_size, look_back, num_columns)` and,
            with one, `calendar` `(batch_size, look_back + horizon, num_features)`.
        targets: float32 `(batch_size, horizon, num_targets)`.
        sample_weight: float32 `(batch_size, horizon)`.

    Raises:
        ValueError: If a series is too short for a window, sizes are not positive, or
            there are fewer windows than a shuffled batch needs.

    Example:
        >>> rows = np.arange(10.0)[:, None]
        >>> batches = WindowBatches([rows], 3, 2, batch_size=4, shuffle=False)
        >>> inputs, targets, weights = batches[0]
        >>> inputs["history"][1, :, 0], targets[1, :, 0]
        (array([1., 2., 3.], dtype=float32), array([4., 5.], dtype=float32))
    """

    def __init__(
        self,
        series,
        look_back,
        horizon,
        batch_size,
        *,
        num_targets=None,
        ranges=None,
        calendar=None,
        shuffle=True,
        seed=0,
        epoch=0,
        **kwargs,
    ):
        if min(look_back, horizon, batch_size) < 1:
            raise ValueError(
                "Sizes must be positive. Received: "
                f"look_back={look_back}, horizon={horizon}, batch_size={batch_size}"
            )
        self.look_back, self.horizon = look_back, horizon
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self._values = np.concatenate(series).astype("float32")
        self._calendar = None
        if calendar is not None:
            self._calendar = np.concatenate(calendar).astype("float32")
        self.num_targets = num_targets or self._values.shape[1]
        lengths = [len(rows) for rows in series]
        self._origins = _origins(lengths, ranges, look_back, horizon)
        if shuffle and self.num_windows < batch_size:
            raise ValueError(
                "A shuffled epoch has complete batches only: `batch_size` may be at "
                "most the number of windows. "
                f"Received: batch_size={batch_size} for {self.num_windows} windows"
            )
        self.shapes = [(batch_size, look_back, self._values.shape[1])]
        super().__init__(epoch=epoch, **kwargs)

    @property
    def num_windows(self):
        return len(self._origins)

    def windows_in_batch(self, index):
        """The number of windows of one batch, without those that fill it up."""
        return min(self.batch_size, self.num_windows - index * self.batch_size)

    def __len__(self):
        if self.shuffle:
            return self.num_windows // self.batch_size
        return -(-self.num_windows // self.batch_size)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index={index}")
        self._count(index)
        chosen = self._order[index * self.batch_size :][: self.batch_size]
        weights = np.zeros((self.batch_size, self.horizon), "float32")
        weights[: len(chosen)] = 1
        chosen = np.pad(chosen, (0, self.batch_size - len(chosen)))
        return *self.windows(chosen), weights

    def windows(self, numbers):
        """Some windows by their number, in the order of series and dates.

        Args:
            numbers: Integers `(num,)`.

        Returns:
            `inputs` and `targets`, see above.
        """
        rows = self._origins[np.asarray(numbers)][:, None]
        rows = rows + np.arange(-self.look_back, self.horizon)
        values = self._values[rows]
        inputs = {"history": values[:, : self.look_back]}
        if self._calendar is not None:
            inputs["calendar"] = self._calendar[rows]
        return inputs, values[:, self.look_back :, : self.num_targets]

    def first_row(self, number):
        """The row in all series, one after the other, with which a forecast begins."""
        return int(self._origins[number])

    def _set_order(self, epoch):
        self._order = np.arange(self.num_windows)
        if self.shuffle:
            np.random.default_rng([self.seed, epoch]).shuffle(self._order)


def _origins(lengths, ranges, look_back, horizon):
    """First rows of the forecasts, counted through all series."""
    ranges = [(0, length) for length in lengths] if ranges is None else ranges
    found, before = [], 0
    for number, (length, (begin, end)) in enumerate(zip(lengths, ranges, strict=True)):
        first, last = max(begin, look_back), min(end, length) - horizon
        if last < first:
            raise ValueError(
                "A window does not fit: its forecast has `horizon` rows, and its "
                "history `look_back` rows before them. Make one of them smaller, or "
                "the part of the data longer. Received: "
                f"look_back={look_back}, horizon={horizon} for rows {begin} to {end} "
                f"of series {number} with {length} rows"
            )
        found.append(np.arange(before + first, before + last + 1))
        before += length
    return np.concatenate(found)
