"""Features of the time of day, week and year, known for the future too."""

import numpy as np
from keras import ops

# Unit: {period: (units until it is exact again, units of one)}.
_PERIODS = {
    "second": {
        "day": (86400, 86400),
        "week": (604800, 604800),
        "year": (4 * 31557600, 31557600),
    },
    "minute": {
        "day": (1440, 1440),
        "week": (10080, 10080),
        "year": (4 * 525960, 525960),
    },
    "day": {"week": (7, 7), "year": (1461, 365.25)},
    "month": {"year": (12, 12)},
}
# Sines of so many frequencies: weekends are short, seasons are smooth.
_HARMONICS = {"day": 2, "week": 3, "year": 2}


def calendar_periods(unit, step, num_rows=None):
    """The periods that a series can tell.

    Args:
        unit: A key of `kerasseq.lite.calendar.UNITS`.
        step: Units from one row to the next.
        num_rows: Rows that a model is trained on: of these there must be at least two
            periods. `None` for any number.

    Returns:
        List out of `"day"`, `"week"` and `"year"`.
    """
    return [
        name
        for name, (_, size) in _PERIODS[unit].items()
        if 2 * step <= size and (num_rows is None or num_rows * step >= 2 * size)
    ]


def num_calendar_features(periods):
    """How many features `calendar_features` has."""
    return sum(2 * _HARMONICS[name] for name in periods)


def calendar_features(counts, unit, periods):
    """Sines and cosines of the place within periods.

    Args:
        counts: Whole units since the beginning of 1970, int32 or int64 of any shape:
            an array, a tensor or a Keras tensor. See `kerasseq.lite.calendar.count`.
        unit: A key of `kerasseq.lite.calendar.UNITS`.
        periods: List out of those that `calendar_periods` returns for the unit.

    Returns:
        float32 tensor with one axis more than `counts`: for each period the sine and
        cosine of its first frequencies.

    Raises:
        ValueError: for a period that the unit does not have.

    Example:
        >>> noon = np.array(28576800)
        >>> calendar_features(noon, "minute", ["day"]).shape  # in 2024
        (4,)
    """
    unknown = [name for name in periods if name not in _PERIODS[unit]]
    if unknown:
        raise ValueError(
            f"Rows that are {unit}s apart can have the periods "
            f"{', '.join(_PERIODS[unit])}; choose with `calendar`. "
            f"Received: calendar={','.join(periods)}"
        )
    found = []
    for name in periods:
        exact, size = _PERIODS[unit][name]
        # The rest first, as an integer: float32 has no room for the whole count.
        place = ops.cast(ops.mod(counts, exact), "float32") * np.float32(
            2 * np.pi / size
        )
        for harmonic in range(1, _HARMONICS[name] + 1):
            angle = place * float(harmonic)
            found += [ops.sin(angle), ops.cos(angle)]
    return ops.stack(found, axis=-1)
