"""Three hourly series with seasons, a trend and noise, the default of forecasters."""

import numpy as np

from kerasseq.data import _series_dates

COLUMNS = ["load", "heat", "visits"]
FREQUENCY = _series_dates.Frequency("minute", 60)
NUM_ROWS = 365 * 24
START = np.datetime64("2023-01-01T00:00:00", "s")  # a Sunday


def generate(seed=0):
    """Generates a year.

    `load` has a daily season that is another one at weekends, and rises; `heat` goes
    up and down with the year and the day, with noise that lasts; `visits` are counts,
    more of them on some days of the week.

    Args:
        seed: Integer.

    Returns:
        Names, dates `datetime64[s]` `(8760,)` and values `(8760, 3)`.
    """
    generator = np.random.default_rng(seed)
    hours = np.arange(NUM_ROWS)
    day, week = 2 * np.pi * hours / 24, hours // 24 % 7
    weekend = np.isin(week, (0, 6))
    slow = _lasting(generator, 0.98)
    load = 50 + 12 * np.sin(day - 2.2) + 6 * np.sin(2 * day - 0.6)
    load = np.where(weekend, 30 + 0.5 * load, load) + 8 * hours / NUM_ROWS
    load += 1.5 * slow + generator.normal(0, 1, NUM_ROWS)
    heat = 12 - 10 * np.cos(day / 365) + 4 * np.sin(day - 2) + 2.5 * slow
    heat += generator.normal(0, 0.4, NUM_ROWS)
    rate = 30 * np.exp(np.sin(day - 2.5)) * np.array([5, 9, 10, 10, 11, 13, 7])[week]
    visits = generator.poisson(rate / 10 * np.exp(0.1 * slow))
    dates = START + hours * np.timedelta64(3600, "s")
    return COLUMNS, dates, np.stack([load, heat, visits], axis=-1)


def _lasting(generator, decay):
    """Noise of a deviation of 1 that decays slowly."""
    steps = generator.normal(0, (1 - decay**2) ** 0.5, NUM_ROWS)
    found = np.zeros(NUM_ROWS)
    for index in range(1, NUM_ROWS):
        found[index] = decay * found[index - 1] + steps[index]
    return found
