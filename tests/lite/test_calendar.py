import datetime

import numpy as np
import pytest

from kerasseq.lite import calendar


class TestBasics:
    @pytest.mark.parametrize(
        "value",
        [
            "2024-03-01 12:00",
            "2024-03-01T12:00:00",
            "2024-03-01 14:00+02:00",
            datetime.datetime(2024, 3, 1, 12),
            np.datetime64("2024-03-01T12"),
        ],
    )
    def test_forms_of_a_date(self, value):
        assert str(calendar.as_date(value)) == "2024-03-01T12:00:00"

    def test_days_months_and_years(self):
        assert str(calendar.as_date(datetime.date(2024, 3, 1))) == "2024-03-01T00:00:00"
        assert str(calendar.as_date("2024-03")) == "2024-03-01T00:00:00"
        assert str(calendar.as_date("2024")) == "2024-01-01T00:00:00"
        assert str(calendar.as_date("20240301")) == "2024-03-01T00:00:00"

    def test_clocks(self):
        for date in ("2024-03-01 00:30+02:00", "2024-03-01T00:30:00+0200"):
            assert str(calendar.as_date(date)) == "2024-02-29T22:30:00"
            assert str(calendar.as_date(date, "local")) == "2024-03-01T00:30:00"
        assert str(calendar.as_date("2024-03-01", "local")) == "2024-03-01T00:00:00"


class TestNumbers:
    def test_counts(self):
        date = calendar.as_date("1971-02-01 00:01:30")
        found = [int(calendar.count(date, unit)) for unit in calendar.UNITS]
        assert found == [396 * 86400 + 90, 396 * 1440 + 1, 396, 13]

    @pytest.mark.parametrize(
        "last, step, expected",
        [
            ("2024-01-31", 1, ["2024-02-29", "2024-03-31"]),  # at the end of months
            ("2024-01-15", 1, ["2024-02-15", "2024-03-15"]),
            ("2024-01-30", 1, ["2024-02-29", "2024-03-30"]),
            ("2023-11-01", 3, ["2024-02-01", "2024-05-01"]),
        ],
    )
    def test_months(self, last, step, expected):
        found = calendar.dates_after(calendar.as_date(last), "month", step, 2)
        assert found.astype("datetime64[D]").astype(str).tolist() == expected

    def test_days(self):
        last = calendar.as_date("2024-02-28 06:00")
        found = calendar.dates_after(last, "day", 1, 2).astype(str).tolist()
        assert found == ["2024-02-29T06:00:00", "2024-03-01T06:00:00"]


class TestErrors:
    @pytest.mark.parametrize("value", ["noon", "", "2024-13-01", None, "NaT", [1, 2]])
    def test_no_dates(self, value):
        with pytest.raises(ValueError, match="A date is written as"):
            calendar.as_date(value)

    @pytest.mark.parametrize(
        "value",
        ["0", "12", "999", "0999", "3000", "42552", "240101", "202401", "1467331200"]
        + ["1712123100000", "2024010112", "1467331200.5", "24-01-01"],
    )
    def test_numbers_are_no_dates(self, value):
        with pytest.raises(ValueError, match="A date is written as"):
            calendar.as_date(value)

    @pytest.mark.parametrize("value", [20240301, 1.5, True, np.int64(7)])
    def test_only_text_and_dates(self, value):
        with pytest.raises(ValueError, match="numpy.datetime64"):
            calendar.as_date(value)
