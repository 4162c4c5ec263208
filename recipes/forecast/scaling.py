"""What the columns are scaled with: inside the exported file too, in float32."""

import typing

import numpy as np

# What the exported file can square in float32, and what its layers take for zero.
LARGEST, SMALLEST = 1e18, 1e-6


class Scaling(typing.NamedTuple):
    """What is subtracted from the columns, and what they are divided by.

    Args:
        mean: float64 array `(num_scales, num_columns)`: one scale for all series, or
            one for each.
        scale: Standard deviations, likewise; 1 where a column is constant.
    """

    mean: np.ndarray
    scale: np.ndarray

    def of(self, number):
        """Mean and scale of a series by its number, each `(num_columns,)`."""
        number = number if len(self.mean) > 1 else 0
        return self.mean[number], self.scale[number]


def fit(series, borders, per_series=False):
    """Means and standard deviations of the training part.

    Args:
        series: A `kerasseq.data.TimeSeries`.
        borders: List of what `kerasseq.data.split_borders` returns for each series.
        per_series: Whether each series has a scale of its own.

    Returns:
        A `Scaling`.

    Raises:
        ValueError: for a column whose numbers are too large or too small for float32.
    """
    largest = np.max([np.abs(one.values).max(axis=0) for one in series.series], axis=0)
    _check(series, largest > LARGEST, f"above {LARGEST:g}", largest, "larger")
    rows = [
        one.values[slice(*row["train"])]
        for one, row in zip(series.series, borders, strict=True)
    ]
    groups = rows if per_series else [np.concatenate(rows)]
    mean = np.stack([group.mean(axis=0) for group in groups])
    scale = np.stack([group.std(axis=0) for group in groups])
    # Of each column its own: a rate may stand beside a gross product.
    size = np.stack([np.abs(group).max(axis=0) for group in groups])
    scale = np.where(scale > 1e-12 * size, scale, 1.0)
    least = scale.min(axis=0)
    text = f"with a standard deviation below {SMALLEST:g}"
    _check(series, least < SMALLEST, text, least, "smaller")
    return Scaling(mean, scale)


def _check(series, bad, text, values, unit):
    if bad.any():
        place = int(np.argmax(bad))
        raise ValueError(
            f"{series.name}, column {series.columns[place]!r}: numbers {text} do not "
            f"fit the float32 of the exported file; write them in a {unit} unit. "
            f"Received: {values[place]:g}"
        )
