import keras
import numpy as np
import pytest

from kerasseq import data
from kerasseq.lite import calendar


def features(counts, unit, periods):
    found = data.calendar_features(np.asarray(counts, "int32"), unit, periods)
    return keras.ops.convert_to_numpy(found)


def of_date(text, unit, periods):
    return features(calendar.count(calendar.as_date(text), unit), unit, periods)


class TestBasics:
    def test_periods(self):
        assert data.calendar_periods("minute", 60) == ["day", "week", "year"]
        assert data.calendar_periods("minute", 60, 24 * 365) == ["day", "week"]
        assert data.calendar_periods("day", 1, 100) == ["week"]
        assert data.calendar_periods("month", 1, 24) == ["year"]
        assert data.calendar_periods("month", 12) == []

    def test_shapes(self):
        for periods in (["day"], ["week", "year"]):
            found = features(np.zeros((2, 3)), "minute", periods)
            assert found.shape == (2, 3, data.num_calendar_features(periods))

    def test_the_same_of_a_keras_tensor(self):
        counts = np.array([[28_400_000, 28_400_060]], "int32")
        given = keras.Input((2,), dtype="int32")
        periods = ["day", "week", "year"]
        found = data.calendar_features(given, "minute", periods)
        found = keras.Model(given, found).predict(counts, verbose=0)
        np.testing.assert_allclose(
            found, features(counts, "minute", periods), atol=1e-6
        )


class TestNumbers:
    def test_time_of_day(self):
        found = of_date("2024-05-03 06:00", "minute", ["day"])
        np.testing.assert_allclose(found, [1, 0, 0, -1], atol=1e-5)

    def test_a_week_and_a_year_later_it_is_the_same(self):
        for unit in ("minute", "day"):
            first = of_date("2023-03-01", unit, ["week", "year"])
            week = of_date("2023-03-08", unit, ["week", "year"])
            np.testing.assert_allclose(week[:6], first[:6], atol=1e-4)
            year = of_date("2027-03-01", unit, ["week", "year"])
            np.testing.assert_allclose(year[6:], first[6:], atol=1e-3)

    def test_months(self):
        found = of_date("2024-04-01", "month", ["year"])
        np.testing.assert_allclose(found, [1, 0, 0, -1], atol=1e-5)


def test_bad_periods():
    with pytest.raises(ValueError, match="week, year.*calendar=day"):
        data.calendar_features(np.zeros(1, "int32"), "day", ["day"])
