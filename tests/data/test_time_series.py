import numpy as np
import pytest

from kerasseq import data

WIDE = """date,load,heat,note
2024-01-01 00:00,1,10.5,a
2024-01-01 01:00,2,11.5,b
2024-01-01 02:00,3,12.5,c
2024-01-01 03:00,4,13.5,d
"""
LONG = """unique_id,ds,y,price
b,2024-01-31,1,5
b,2024-02-29,2,6
b,2024-03-31,3,7
a,2024-02-29,10,8
a,2024-03-31,20,9
"""


def write(folder, text):
    path = folder / "series.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def load(tmp_path):
    def load(text, **options):
        return data.load_time_series(write(tmp_path, text), **options)

    return load


class TestBasics:
    def test_generated(self):
        found = data.load_time_series()
        (one,) = found.series
        assert found.num_targets == len(found.columns) == 3
        assert one.values.shape == (8760, 3) and np.isfinite(one.values).all()
        assert (np.diff(one.dates) == np.timedelta64(3600, "s")).all()
        again = data.load_time_series(seed=1).series[0].values
        assert (data.load_time_series().series[0].values == one.values).all()
        assert (again != one.values).any()
        chosen = data.load_time_series(targets=["visits"], covariates=["load"])
        assert (chosen.columns, chosen.num_targets) == (["visits", "load"], 1)
        assert (chosen.series[0].values == one.values[:, [2, 0]]).all()

    def test_wide(self, load):
        found = load(WIDE)
        assert found.columns == ["load", "heat"] and found.num_targets == 2
        assert found.frequency == ("minute", 60) and str(found.frequency) == "1 hour"
        (one,) = found.series
        assert one.id == "" and one.values[:, 1].tolist() == [10.5, 11.5, 12.5, 13.5]
        assert str(one.dates[-1]) == "2024-01-01T03:00:00"

    def test_targets_and_covariates(self, load):
        found = load(WIDE, covariates=["load"])
        assert (found.columns, found.num_targets) == (["heat", "load"], 1)

    def test_long(self, load):
        found = load(LONG)
        assert [one.id for one in found.series] == ["b", "a"]
        assert [one.values.ravel().tolist() for one in found.series] == [
            [1, 2, 3],
            [10, 20],
        ]
        assert found.frequency == ("month", 1)  # at the ends of months
        assert load(LONG, covariates=["price"]).columns == ["y", "price"]

    @pytest.mark.parametrize(
        "changed",
        [
            WIDE.replace(",", ";"),
            WIDE.replace(",", "\t"),
            "\ufeff" + WIDE.replace("\n", "\r\n"),
            WIDE + "\n\n",
            WIDE.replace(" 0", "T0").replace(":00,", ":00Z,"),
        ],
    )
    def test_other_forms(self, load, changed):
        found = load(changed)
        assert found.columns == ["load", "heat"]
        assert found.frequency == ("minute", 60)
        np.testing.assert_array_equal(
            found.series[0].values, load(WIDE).series[0].values
        )

    def test_format_of_dates(self, load):
        text = "day,y\n31.12.2023,1\n01.01.2024,2\n02.01.2024,3\n"
        found = load(text, date_column="day", date_format="%d.%m.%Y")
        assert found.frequency == ("day", 1)
        assert str(found.series[0].dates[0]) == "2023-12-31T00:00:00"

    def test_without_dates(self, load):
        text = WIDE.replace("01 02:00", "09 02:00")
        found = load(text, date_column="none")
        assert found.frequency is None and found.series[0].dates is None
        assert found.columns == ["load", "heat"]

    @pytest.mark.parametrize(
        "dates, frequency",
        [
            (["2024-01", "2024-02", "2024-03"], ("month", 1)),
            (["2024-01-15", "2024-04-15", "2024-07-15"], ("month", 3)),
            (["2024-01-30", "2024-02-29", "2024-03-30"], ("month", 1)),
            (["2024-01-01", "2024-01-08", "2024-01-15"], ("day", 7)),
            (["2020-01-01", "2021-01-01", "2022-01-01"], ("month", 12)),
            (["2024-01-01 00:00:30", "2024-01-01 00:01"], ("second", 30)),
        ],
    )
    def test_frequencies(self, load, dates, frequency):
        rows = "".join(f"{date},1\n" for date in dates)
        assert load(f"ds,y\n{rows}").frequency == frequency


class TestNumbers:
    def test_fill(self, load):
        text = WIDE.replace("2,11.5", ",11.5").replace("3,12.5", "NA,12.5")
        forward = load(text, fill="forward").series[0].values[:, 0]
        assert forward.tolist() == [1, 1, 1, 4]
        linear = load(text, fill="linear").series[0].values[:, 0]
        assert linear.tolist() == [1, 2, 3, 4]

    def test_split_by_fractions_and_counts(self):
        assert data.split_borders(17420, (8640, 2880, 2880)) == {
            "train": (0, 8640),
            "validation": (8640, 11520),
            "test": (11520, 14400),
        }
        for length in (10, 99, 8760):
            borders = data.split_borders(length)
            assert borders["train"] == (0, int(length * 0.7 + 1e-6))
            assert borders["test"][1] == length


BAD = {  # text: what the message says
    WIDE.replace("3,12.5,c", "3,12.5"): "line 4: every line.*4 cells.*Received: 3",
    WIDE.replace("2,11.5", ",11.5"): "line 3, column 'load': a missing value.*fill=lin",
    WIDE.replace("2,11.5", "x,11.5"): "line 3, column 'load': no finite number.*'x'",
    WIDE.replace("2,11.5", "inf,11.5"): "line 3, column 'load': no finite.*'inf'",
    WIDE.replace("01 03:00", "01 04:00"): "line 5: .*equally spaced, 1 hour.*column=n",
    WIDE.replace("01 02:00", "01 01:00"): "line 4: its date is that of line 3",
    WIDE.replace("01 02:00", "01 00:30"): "line 4: dates must ascend; sort",
    WIDE.replace("2024-01-01 02:00", "noon"): "line 4: no date.*date_format.*'noon'",
    WIDE.replace("date", "when").replace("2024-", "on 2024-"): "date_column",
    WIDE.replace("heat", "load"): "line 1: every column needs a name.*'load'",
    "".join(WIDE.splitlines(True)[1:]).replace(",a", ",1"): "line 1: the first line",
    "2024-01-01,1\n2024-01-02,2\n2024-01-03,2\n": "line 1: the first line must name",
    "date,y\n2024-01-01,1\n": "at least two rows.*Received: 1",
    "date,y\n2024-01-01,a\n2024-01-02,b\n": "column of numbers to forecast",
    'date,y\n2024-01-01,"1\n': "line [23]: no CSV",
    LONG.replace("a,2024-03-31,20,9\n", ""): "line 5: .*two rows.*unique_id 'a'",
    LONG.replace("a,2024-02-29", "a,2024-03-30"): "line 6: all series",
    LONG.replace("b,2024-02-29", "b,2024-01-31"): "line 3: .*that of line 2",
}


class TestErrors:
    @pytest.mark.parametrize("text", BAD)
    def test_bad_files(self, load, text):
        with pytest.raises(ValueError, match=BAD[text]) as error:
            load(text)
        assert "series.csv" in str(error.value)

    @pytest.mark.parametrize(
        "options, message",
        [
            ({"targets": ["cold"]}, "out of date, load, heat, note.*targets=cold"),
            ({"covariates": ["load", "load"]}, "each once"),
            ({"targets": ["load"], "covariates": ["load"]}, "none that is both"),
            ({"targets": ["note"]}, "line 2, column 'note'.*'a'"),
            ({"date_column": "when"}, "date_column=when"),
            ({"fill": "mean"}, "fill='mean'"),
        ],
    )
    def test_bad_choices(self, load, options, message):
        with pytest.raises(ValueError, match=message):
            load(WIDE, **options)

    def test_nothing_before_a_missing_value(self, load):
        text = WIDE.replace("1,10.5", ",10.5")
        with pytest.raises(ValueError, match="line 2, column 'load'.*fill=forward"):
            load(text, fill="forward")
        assert load(text, fill="linear").series[0].values[0, 0] == 2

    def test_no_file(self):
        with pytest.raises(ValueError, match="no file 'absent.csv'"):
            data.load_time_series("absent.csv")

    @pytest.mark.parametrize(
        "split", [(0.5, 0.5), (0.8, 0.2, 0.2), (0.5, 0.2, 0.2), (9, 1, 1), (8, 2, 0)]
    )
    def test_bad_splits(self, split):
        with pytest.raises(ValueError, match="three numbers above 0.*of 10 rows"):
            data.split_borders(10, split)
