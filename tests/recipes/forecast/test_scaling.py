"""Scales of the columns, each by itself."""

import numpy as np
import pytest

from kerasseq import data
from kerasseq.data import time_series
from recipes.forecast import scaling

NUM_ROWS = 100
NOISE = np.random.default_rng(0).normal(0, 1, NUM_ROWS)


def fit(*series, per_series=False):
    """The scaling of series, each a list of columns."""
    rows = [np.stack(columns, axis=-1) for columns in series]
    found = [time_series.Series(f"{k}", None, x) for k, x in enumerate(rows)]
    names = [f"x{k}" for k in range(rows[0].shape[1])]
    all_of_it = data.TimeSeries("s.csv", names, len(names), None, found)
    borders = [data.split_borders(NUM_ROWS, (80, 10, 10)) for _ in rows]
    return scaling.fit(all_of_it, borders, per_series)


@pytest.mark.parametrize("per_series", [False, True])
def test_a_small_column_beside_a_large_one(per_series):
    large, small = 2e13 + 3e11 * NOISE, 0.05 + 0.005 * NOISE
    found = fit([large, small], [large, small], per_series=per_series)
    expected = [large[:80].std(), small[:80].std()]
    for number in range(2):
        np.testing.assert_allclose(found.of(number)[1], expected, rtol=1e-6)


def test_a_small_series_after_a_large_one():
    found = fit([2e13 + 3e11 * NOISE], [0.05 + 0.005 * NOISE], per_series=True)
    np.testing.assert_allclose(found.of(1)[1], [0.005 * NOISE[:80].std()])


def test_a_constant_column_is_divided_by_one():
    found = fit([np.full(NUM_ROWS, 0.1), np.zeros(NUM_ROWS)])
    assert found.scale.tolist() == [[1, 1]]


@pytest.mark.parametrize(
    "column, message",
    [
        (1e300 * (1 + NOISE**2), "column 'x0': numbers above 1e.18.*larger unit"),
        (1e-30 * NOISE, "below 1e-06 .*smaller unit.*e-3"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_float32_cannot_hold(column, message):
    with pytest.raises(ValueError, match=message):
        fit([column])
