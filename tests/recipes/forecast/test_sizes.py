"""Sizes of windows and patches for small data, and series that are too short."""

import numpy as np
import pytest

from kerasseq import data
from kerasseq.data import time_series
from recipes.forecast import __main__ as forecast
from recipes.forecast import sizes


def bound(lengths, *arguments, split=(0.7, 0.1, 0.2)):
    """The flags for series of such lengths, `{name: rows}`."""
    flags = forecast.define_flags()
    flags(["recipe", *arguments])
    found = [time_series.Series(x, None, np.zeros((k, 1))) for x, k in lengths.items()]
    series = data.TimeSeries("s.csv", ["y"], 1, None, found)
    sizes.bound_windows(flags, series, sizes.find_borders(series, split))
    sizes.bound_patches(flags)
    return flags


@pytest.mark.parametrize(
    "rows, look_back, patches",
    [(10, 3, (2, 1)), (40, 13, (8, 4)), (60, 19, (16, 8)), (2000, 168, (16, 8))],
)
def test_patches_fit_the_history(rows, look_back, patches, capsys):
    flags = bound({"": rows})
    assert flags.look_back == look_back
    assert (flags.patch_length, flags.patch_stride) == patches
    lowered = patches != (16, 8)
    assert ("--patch_stride=" in capsys.readouterr().out) == lowered


def test_patches_that_are_given(capsys):
    flags = bound({"": 2000}, "--patch_length=12")
    assert (flags.patch_length, flags.patch_stride) == (12, 6)
    assert "it divides --patch_length=12" in capsys.readouterr().out
    flags = bound({"": 40}, "--patch_length=15", "--patch_stride=4")
    assert (flags.patch_length, flags.patch_stride) == (15, 4)  # the model refuses it
    flags = bound({"": 40}, "--arch=gru")
    assert flags.patch_length == 16  # without a meaning


def test_a_short_series_does_not_shorten_the_others():
    lengths = {"A": 300, "B": 300, "D": 6}
    message = "s.csv: the series 'D' of 6 rows is too short.*--look_back=97"
    with pytest.raises(ValueError, match=message):
        bound(lengths)
    with pytest.raises(ValueError, match="series 'D' of 6 rows.*--look_back=28"):
        bound(lengths, "--look_back=28", "--horizon=7")
    with pytest.raises(ValueError, match="series 'B' of 5 rows"):
        bound({"A": 30, "B": 5})
    with pytest.raises(ValueError, match="'C' of 5 rows.*and 1 other series"):
        bound({"A": 300, "B": 300, "C": 5, "D": 6})


def test_series_of_unequal_lengths_have_windows_for_all():
    flags = bound({"A": 300, "B": 100})
    assert (flags.look_back, flags.horizon) == (32, 5)


def test_a_split_that_one_series_has_no_rows_for():
    with pytest.raises(ValueError, match="series 'D': .*for a series of 6 rows"):
        bound({"A": 300, "D": 6}, split=(200, 50, 50))


def test_no_window_is_no_negative_number(capsys):
    message = "the series of 10 rows is too short.*of 10$"
    with pytest.raises(ValueError, match=message):
        bound({"": 10}, "--look_back=7", "--horizon=3")
    assert "windows" not in capsys.readouterr().out
