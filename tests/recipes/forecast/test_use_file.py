"""The use of an exported forecaster, with a file made by hand: it repeats its rows."""

import csv
import json
import re

import pytest

from kerasseq.lite import packed_files
from recipes.forecast import __main__ as forecast
from recipes.shared import command_line
from tests.lite import hand_made

FACTS = {"columns": ["y", "z"], "num_targets": 2, "quantiles": [], "series": []}
FACTS |= {"frequency": ["day", 1], "clock": None}
DAYS = [f"2024-01-{day:02d}" for day in range(1, 6)]


def wide(dates=DAYS, header="date,y,z"):
    rows = (f"{date},{k},{10 * k}\n" for k, date in enumerate(dates))
    return f"{header}\n" + "".join(rows)


def long(**lengths):
    """Series by name, each with values of its own."""
    lines = ["unique_id,ds,y,z"]
    for level, (name, length) in enumerate(lengths.items()):
        lines += [f"{name},{day},{100 * level + 1},2" for day in DAYS[:length]]
    return "\n".join(lines) + "\n"


@pytest.fixture
def use(tmp_path, capsys):
    """Forecasts a text: the rows of `forecast.csv`, the errors, and what was told."""

    def use(text, *arguments, inputs=(), **changed):
        path = hand_made.forecaster(tmp_path / "model.tflite", inputs)
        facts = json.dumps(FACTS | changed).encode()
        packed_files.pack(path, {"series.json": facts, "card.json": b"{}"})
        history = tmp_path / "history.csv"
        if text is not None:
            history.write_text(text)
        flags = forecast.define_flags()
        given = [f"--from={path}", f"--history={history}", *arguments]
        code = command_line.run(forecast.main, flags, "", given)
        told = capsys.readouterr().err
        if code:
            return told
        with open(tmp_path / "forecast.csv", newline="") as file:
            return list(csv.DictReader(file)), told

    return use


class TestBasics:
    def test_all_digits_of_float32(self, use):
        text = wide().replace(",4,40", ",1234567.1,0.123456789")
        rows, _ = use(text)
        assert rows[2]["y"] == "1234567.1" and rows[2]["z"] == "0.12345679"
        assert rows[1]["y"] == "3"

    def test_all_series_of_a_file(self, use):
        rows, _ = use(long(A=3, B=4))
        assert [row["unique_id"] for row in rows] == ["A"] * 3 + ["B"] * 3

    def test_one_series_of_a_file(self, use):
        rows, _ = use(long(A=3, B=3), "--series=B")
        assert {(row["unique_id"], row["y"]) for row in rows} == {("B", "101")}
        options = {"inputs": ["series"], "series": ["A", "B"]}
        rows, _ = use(long(A=3, B=3), "--series=B", **options)
        # The file raises its rows by the number of the series.
        assert {(row["unique_id"], row["y"]) for row in rows} == {("B", "102")}
        rows, _ = use(wide(), "--series=B", **options)
        assert [row["y"] for row in rows] == ["3", "4", "5"]
        # A short one that is not asked for does no harm.
        assert len(use(long(A=3, B=2), "--series=A")[0]) == 3

    @pytest.mark.parametrize(
        "clock, first, message",
        [
            ("local", "2024-01-06", "own clock"),
            (None, "2024-01-06", "own clock"),
            ("utc", "2024-01-05 22:00", "in UTC"),
        ],
    )
    def test_dates_are_on_the_clock_of_the_model(self, use, clock, first, message):
        dates = [f"{day}T00:00+02:00" for day in DAYS]
        rows, told = use(wide(dates), clock=clock)
        assert rows[0]["date"] == first and message in told

    def test_summer_time_on_the_local_clock_of_hours(self, use):
        hours = [f"2024-07-01T0{hour}:00+02:00" for hour in range(5)]
        options = {"frequency": ["minute", 60], "inputs": ["time"]}
        zero = 1719792000 // 60  # minutes until 2024-07-01 00:00
        for clock, ahead in (("local", 0), ("utc", 120)):
            rows, _ = use(wide(hours), clock=clock, **options)
            assert float(rows[0]["y"]) == 2 + zero + 240 - ahead


class TestErrors:
    @pytest.mark.parametrize(
        "text, arguments, message",
        [
            (None, "", "--history is the path of a CSV file with the columns y, z"),
            (wide(header="date,y,x"), "", "it lacks z. Received: .*date, y, x"),
            (
                wide().replace(",1,", ',"1,5",'),
                "",
                "line 3, column 'y': .*missing ones",
            ),
            (wide().replace(",1,", ",,"), "", "line 3, column 'y'.*--fill=linear"),
            (long(A=5, B=2), "", "series 'B': .*at least 3 rows.*Received: 2 rows"),
            (wide(DAYS[:2]), "", "csv: the model reads at least 3 rows"),
            (long(A=3, B=3), "--series=C", "--series is one of .*A, B.*--series=C"),
            (wide(), "--series=C", "one scale for all; leave --series out"),
            (wide(["1704067200", "1704153600", "1704240000"]), "", "unit='s'"),
        ],
    )
    def test_histories(self, use, text, arguments, message, tmp_path):
        error = use(text, *arguments.split())
        assert error.startswith("error: ")
        assert re.search(message, error), error
        assert "--targets" not in error and "--data" not in error
        assert not (tmp_path / "forecast.csv").exists()

    def test_series_without_a_scale(self, use):
        options = {"inputs": ["series"], "series": ["A", "B"]}
        error = use(long(A=3, C=3), **options)
        assert "series 'C': the model has a scale for each" in error
        assert "A, B; leave others out" in error
        assert "name one with --series" in use(wide(), **options)

    def test_no_name_means_generated_series(self, use):
        assert "no file 'synthetic'" in use(None, "--history=synthetic")
