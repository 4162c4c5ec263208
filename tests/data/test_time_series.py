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
            "\n \n" + WIDE.replace(",", ";"),
            "sep=;\n" + WIDE.replace(",", ";"),
            WIDE.replace("\n", "\r"),
        ],
    )
    def test_other_forms(self, load, changed):
        found = load(changed)
        assert found.columns == ["load", "heat"]
        assert found.frequency == ("minute", 60)
        np.testing.assert_array_equal(
            found.series[0].values, load(WIDE).series[0].values
        )

    def test_separators_in_names(self, load):
        text = '"date";"Price, EUR";"Qty, pcs, x"\n2024-01-05;1;2\n2024-01-06;2;2\n'
        assert load(text).columns == ["Price, EUR", "Qty, pcs, x"]

    def test_long_in_capitals_and_with_other_columns(self, load):
        found = load(LONG.replace("unique_id,ds,y", "Unique_ID,DS,Y"))
        assert [one.id for one in found.series] == ["b", "a"]
        assert found.columns == ["Y"]
        found = load(LONG.replace("ds,y", "date,sales"))
        assert found.columns == ["sales", "price"] and len(found.series) == 2

    def test_what_is_left_out_is_noted(self, load):
        assert load(WIDE).notes == ["columns without numbers, left out: note"]
        assert load(WIDE, targets=["load"]).notes == []
        (note,) = load(LONG).notes
        assert note.endswith("left out: price")
        empty = WIDE.replace("note", "").replace(",a", ",").replace(",b", ",")
        (note,) = load(empty.replace(",c", ",").replace(",d", ",")).notes
        assert note.endswith("left out: column 4")

    def test_row_numbers_are_left_out(self, load):
        lines = WIDE.replace(",note", "").splitlines()
        rows = [line.rpartition(",")[0] for line in lines[1:]]
        for name in ("", "Unnamed: 0"):
            text = "".join(f"{k},{row}\n" for k, row in enumerate(rows))
            found = load(f"{name},{lines[0]}\n{text}")
            assert found.columns == ["load", "heat"]
            assert found.notes[0].startswith(
                "columns of row numbers or dates, left out: "
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
        found = load("time,y\n0,5\n1,6\n2,7\n", date_column="none")
        assert found.columns == ["y"]
        assert found.notes == ["columns of row numbers or dates, left out: time"]

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


MONTHS = [f"2024-{month:02d}-01T00:00" for month in range(1, 13)]
DAYS = [f"2024-03-{day}T00:00" for day in range(28, 32)] + ["2024-04-01T00:00"]
HOURS = ["2024-03-31T00:00+01:00", "2024-03-31T01:00+01:00"]
HOURS += ["2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"]


def of_dates(dates):
    return "date,y\n" + "".join(f"{date},1\n" for date in dates)


class TestClocks:
    def test_equal_offsets_leave_the_local_clock(self, load):
        found = load(of_dates(f"{day}+02:00" for day in DAYS))
        assert str(found.series[0].dates[0]) == "2024-03-28T00:00:00"
        assert found.clock == "local" and "(+02:00)" in found.notes[0]
        found = load(of_dates(f"{day}-03:30" for day in DAYS), clock="utc")
        assert str(found.series[0].dates[0]) == "2024-03-28T03:30:00"
        assert found.clock == "utc" and "in UTC" in found.notes[0]
        found = load(of_dates(f"{day}Z" for day in DAYS))
        assert (found.clock, found.notes) == ("utc", [])
        assert load(WIDE).clock is None

    @pytest.mark.parametrize(
        "dates, summer, frequency", [(MONTHS, 3, ("month", 1)), (DAYS, 4, ("day", 1))]
    )
    def test_days_and_months_over_a_change_of_the_offset(
        self, load, dates, summer, frequency
    ):
        text = [f"{x}+0{1 + (k >= summer)}:00" for k, x in enumerate(dates)]
        found = load(of_dates(text))
        assert (found.frequency, found.clock) == (frequency, "local")
        assert found.series[0].dates.astype(str).tolist()[-1] == f"{dates[-1]}:00"

    def test_hours_over_a_change_of_the_offset(self, load):
        found = load(of_dates(HOURS))
        assert (found.frequency, found.clock) == (("minute", 60), "utc")
        assert str(found.series[0].dates[0]) == "2024-03-30T23:00:00"
        assert found.notes == ["dates are in UTC; their offsets are +01:00, +02:00"]
        with pytest.raises(ValueError, match="line 4: dates must be equally spaced"):
            load(of_dates(HOURS), clock="local")

    @pytest.mark.filterwarnings("error")
    def test_offsets_by_a_format(self, load):
        dates = [f"{day}.03.2024 00:00 +0100" for day in range(10, 14)]
        found = load(of_dates(dates), date_format="%d.%m.%Y %H:%M %z")
        assert (found.frequency, found.clock) == (("day", 1), "local")

    def test_dates_of_a_model_in_utc(self, load):
        assert load(WIDE, clock="utc").notes[1].endswith("taken as UTC")
        with pytest.raises(ValueError, match="clock='UTC'"):
            load(WIDE, clock="UTC")

    def test_offsets_of_some_dates_only(self, load):
        with pytest.raises(ValueError, match=r"line 3: all dates.*'2024-03-29T00:00'"):
            load(of_dates([f"{DAYS[0]}+01:00", *DAYS[1:]]))


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
    LONG.replace("a,2024-02-29", " ,2024-02-29"): "line 5: .*column unique_id.*' '",
    "date,x\n2024-01-01 00:00:00.0,1\n2024-01-01 00:00:00.5,2\n": "to the second",
    "Date,Time,x\n2024-01-05,00:00,1\n2024-01-05,01:00,2\n": "join a column of times",
    "Report\n\n" + WIDE: "line 3: .*the 1 cells of the header in line 1.*lines above",
    "2024-01-05,1,ok\n2024-01-06,1,ok\n2024-01-07,1,ok\n": "line 1: the first line",
}
for cells, received in (
    (("1,5", "2,5", "3,5"), "line 2, column 'a'.*decimal point.*'1,5'"),
    (("1 005", "1 105", "995"), "line 2.*thousands.*'1 005'"),
    (("$5", "$1,000.50", "-$3"), "line 2.*currencies.*with `targets`.*'.5'"),
    (("5 €", "EUR 3", "7"), "line 2.*currencies.*'5 €'"),
    (("5%", "7 %", "3%"), "line 2.*percent.*'5%'"),
    (("#N/A", "1", "2"), "line 2.*missing ones empty.*'#N/A'"),
):
    rows = [f"2024-01-0{k};{cell};1\n" for k, cell in enumerate(cells, 1)]
    BAD["date;a;b\n" + "".join(rows)] = received
for cells, received in (
    (("1467331200", "1467334800"), r"line 2.*date_column=none.*unit='s'\)"),
    (("1467331200000", "1467334800000"), r"line 2.*unit='ms'\)"),
    (("42552", "42553"), "line 2.*Excel.*unit='D', origin='1899-12-30'"),
    (("0", "1"), "line 2: .*counts rows, say `date_column=none`.*'0'"),
    (("240101", "240102"), "line 2: .*`date_format`, as '%y%m%d'.*'240101'"),
    (("202401", "202402"), "line 2: .*no date"),
    (("01.02.2024", "02.02.2024"), "line 2: .*say which it is with `date_format`"),
):
    BAD["date,y\n" + "".join(f"{cell},1\n" for cell in cells)] = received


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

    @pytest.mark.parametrize("fill", [None, "forward", "linear"])
    def test_no_value_at_all(self, load, fill):
        text = "date,y,x\n2024-01-01,1,\n2024-01-02,2,\n"
        with pytest.raises(ValueError, match="column 'x': there is no value in all 2"):
            load(text, fill=fill, targets=["x"])

    def test_filled_values_are_noted(self, load):
        text = WIDE.replace("2,11.5", ",11.5")
        assert "column load: 1 of 4 values filled" in load(text, fill="linear").notes

    def test_what_float32_cannot_tell_apart_is_noted(self, load):
        rows = (f"2024-01-{k:02d},{1_700_000_000 + k}\n" for k in range(1, 30))
        (note,) = load("date,y\n" + "".join(rows)).notes
        assert note.startswith("column y: of 29 different values float32 tells 1 apart")

    def test_points_of_thousands_are_noted(self, load):
        def notes(*cells):
            rows = (f"2024-01-0{k};{cell}\n" for k, cell in enumerate(cells, 1))
            return load("date;sales\n" + "".join(rows)).notes

        assert notes("998", "1.002") == [
            "column sales: 1.002 is read with a decimal point"
        ]
        for cells in (("1.002", "1.5"), ("998", "998.125"), ("1", "1.002"), ("1.002",)):
            assert notes(*cells, *cells[:1]) == []

    def test_texts_are_no_numbers(self, load):
        for cells in ("1.2.3", "12:30", "05.01.2024", "ABC123", "12-34", "yes"):
            assert load(WIDE.replace(",a", f",{cells}")).columns == ["load", "heat"]

    def test_no_file(self):
        with pytest.raises(ValueError, match="no file 'absent.csv'"):
            data.load_time_series("absent.csv")

    @pytest.mark.parametrize(
        "split", [(0.5, 0.5), (0.8, 0.2, 0.2), (0.5, 0.2, 0.2), (9, 1, 1), (8, 2, 0)]
    )
    def test_bad_splits(self, split):
        with pytest.raises(ValueError, match="three numbers above 0.*of 10 rows"):
            data.split_borders(10, split)
