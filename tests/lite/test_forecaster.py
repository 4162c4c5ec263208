import json

import numpy as np
import pytest

from kerasseq import lite
from kerasseq.lite import packed_files
from tests.lite import hand_made

FACTS = {
    "columns": ["load", "heat"],
    "num_targets": 2,
    "quantiles": [],
    "frequency": ["minute", 60],
    "series": [],
}
HISTORY = np.stack([np.arange(5.0), 1 + np.arange(5.0)], axis=-1)


def facts(**changed):
    return {"series.json": json.dumps(FACTS | changed).encode(), "card.json": b"{}"}


@pytest.fixture
def make(tmp_path):
    """A file whose forecast is the history, raised by what else goes in."""

    def make(*others, **changed):
        path = hand_made.forecaster(tmp_path / "model.tflite", others)
        packed_files.pack(path, facts(**changed))
        return lite.Forecaster(path)

    return make


class TestBasics:
    def test_attributes(self, make):
        forecaster = make()
        assert (forecaster.look_back, forecaster.horizon) == (3, 3)
        assert forecaster.columns == forecaster.targets == ["load", "heat"]
        assert forecaster.frequency == ("minute", 60) and forecaster.card == {}

    def test_the_last_rows_count(self, make):
        forecaster = make()
        for history in (HISTORY, HISTORY.tolist(), HISTORY.astype("int64")):
            found = forecaster(history)
            assert found.dtype == "float32" and found.tolist() == HISTORY[2:].tolist()
        assert forecaster(HISTORY, time="2024-01-01").tolist() == HISTORY[2:].tolist()

    def test_time(self, make):
        forecaster = make("time")
        for time in ("1970-01-01 00:07", "1970-01-01T00:07:30Z"):
            assert forecaster(HISTORY, time).tolist() == (7 + HISTORY[2:]).tolist()
        of_days = make("time", frequency=["day", 1])
        found = of_days(HISTORY, np.datetime64("1970-01-03T12:00"))
        assert found.tolist() == (2 + HISTORY[2:]).tolist()

    def test_clock_of_the_data(self, make):
        for clock, hour in ((None, 0), ("utc", 0), ("local", 2)):
            forecaster = make("time", clock=clock)
            assert forecaster.clock == clock
            found = forecaster(HISTORY, "1970-01-01 02:00+02:00")
            assert found.tolist() == (60 * hour + HISTORY[2:]).tolist()
            (first, *_) = forecaster.dates("1970-01-01 02:00+02:00")
            assert str(first) == f"1970-01-01T{hour + 1:02d}:00:00"

    def test_series(self, make):
        forecaster = make("series", series=["a", "b"])
        found = forecaster(HISTORY, series="b")
        assert found.tolist() == (1 + HISTORY[2:]).tolist()

    def test_dates(self, make):
        found = make().dates("2024-02-28 22:00")
        assert found.astype(str).tolist() == [
            "2024-02-28T23:00:00",
            "2024-02-29T00:00:00",
            "2024-02-29T01:00:00",
        ]


class TestErrors:
    @pytest.mark.parametrize(
        "history, message",
        [
            (HISTORY[:2], "at least 3 rows.*look_back. Received: 2 rows"),
            (HISTORY[:, :1], r"2 columns load, heat.*shape \(5, 1\)"),
            (HISTORY[:, 0], r"shape \(5,\)"),
            (HISTORY + [0, np.nan], "Received: nan in the column 'heat', row 0"),
            (HISTORY + [np.inf, 0], "Received: inf in the column 'load'"),
            (HISTORY + [1e300, 0], "within float32.*inf in the column 'load'"),
            ([["a", "b"]], "array of numbers"),
            ([[1, 2], [3]], "array of numbers"),
        ],
    )
    @pytest.mark.filterwarnings("error")
    def test_histories(self, make, history, message):
        with pytest.raises(ValueError, match=message):
            make()(history)

    def test_no_date(self, make):
        forecaster = make("time")
        for time, message in (
            (None, "date of the last row"),
            ("noon", "'noon'"),
            (20240130, "numpy.datetime64"),
            ("1467331200", "numpy.datetime64"),
            (np.datetime64("NaT"), "NaT"),
            ("9999-01-01", "within"),
        ):
            with pytest.raises(ValueError, match=message):
                forecaster(HISTORY, time)
        with pytest.raises(ValueError, match="without dates.*'2024-01-01'"):
            make(frequency=None).dates("2024-01-01")

    def test_unknown_series(self, make):
        forecaster = make("series", series=["a", "b"])
        for series in (None, "c"):
            with pytest.raises(ValueError, match=f"one of a, b .*series={series!r}"):
                forecaster(HISTORY, series=series)

    @pytest.mark.parametrize(
        "changed",
        [
            {"columns": ["load"]},
            {"num_targets": 1},
            {"quantiles": [0.1, 0.5]},
            {"columns": 3},
            {"frequency": ["hour", 1]},
            {"frequency": "daily"},
        ],
    )
    def test_facts_of_another_model(self, make, changed):
        with pytest.raises(ValueError, match="different models|is damaged"):
            make(**changed)

    def test_no_facts(self, tmp_path):
        path = hand_made.forecaster(tmp_path / "model.tflite")
        with pytest.raises(ValueError, match="'series.json' is neither packed"):
            lite.Forecaster(path)

    def test_file_of_another_kind(self, tmp_path):
        path = hand_made.classifier(tmp_path / "a.tflite")
        message = "not a forecaster.*`serve.*forecast.*ImageClassifier"
        with pytest.raises(ValueError, match=message):
            lite.Forecaster(path)
        path = hand_made.forecaster(tmp_path / "b.tflite")
        with pytest.raises(ValueError, match="open it with `lite.Forecaster`"):
            lite.ImageClassifier(path)
