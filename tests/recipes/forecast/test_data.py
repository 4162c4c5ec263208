"""What `recipes.forecast.data` says of its series."""

import numpy as np
import pytest

from recipes.forecast import data


@pytest.mark.parametrize(
    "dates, expected",
    [
        (["2024-01-31", "2024-02-29"], ["2024-01-31", "2024-02-29"]),
        (["2024-01-31T00:00", "2024-01-31T06:30"], None),
        (["2024-01-31T00:00:00", "2024-01-31T00:00:05"], None),
    ],
)
def test_shown(dates, expected):
    found = data.shown(np.array(dates, "datetime64[s]"))
    assert found == (expected or [date.replace("T", " ") for date in dates])
