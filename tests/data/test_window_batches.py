import numpy as np
import pytest

from kerasseq import data

ROWS = np.stack([np.arange(20.0), 100 + np.arange(20.0)], axis=-1)


def batches(**options):
    options = {"batch_size": 4, "shuffle": False} | options
    series = options.pop("series", [ROWS])
    return data.WindowBatches(series, 3, 2, **options)


class TestBasics:
    def test_shapes(self):
        inputs, targets, weights = batches(num_targets=1)[0]
        assert inputs["history"].shape == (4, 3, 2) and targets.shape == (4, 2, 1)
        assert inputs["history"].dtype == targets.dtype == weights.dtype == "float32"
        assert batches().shapes == [(4, 3, 2)]

    def test_calendar_goes_into_the_future(self):
        calendar = np.arange(20.0)[:, None] / 2
        inputs, targets, _ = batches(calendar=[calendar])[1]
        assert inputs["calendar"].shape == (4, 5, 1)
        np.testing.assert_array_equal(inputs["calendar"][:, 3:] * 2, targets[..., :1])

    def test_the_last_batch_is_filled_up(self):
        found = batches(batch_size=5)
        assert (found.num_windows, len(found)) == (16, 4)
        assert found.windows_in_batch(3) == 1
        assert found[3][2].tolist() == [[1, 1]] + 4 * [[0, 0]]

    def test_order_is_of_seed_and_epoch(self):
        first = batches(shuffle=True)
        assert len(first) == 4
        a = first[0][1]
        np.testing.assert_array_equal(batches(shuffle=True)[0][1], a)
        assert (batches(shuffle=True, epoch=1)[0][1] != a).any()
        assert (batches(shuffle=True, seed=1)[0][1] != a).any()
        firsts = np.concatenate([first[k][1][:, 0, 0] for k in range(4)])
        assert sorted(firsts) == list(range(3, 19))

    def test_nothing_is_copied_for_each_window(self):
        rows = np.zeros((200_000, 2))
        found = data.WindowBatches([rows], 1000, 1000, 2)
        held = sum(x.nbytes for x in vars(found).values() if hasattr(x, "nbytes"))
        assert held < 3 * rows.nbytes


class TestNumbers:
    def test_windows(self):
        found = batches(ranges=[(10, 16)])
        assert found.num_windows == 5  # of two rows out of six
        inputs, targets, _ = found[0]
        assert inputs["history"][0, :, 0].tolist() == [7, 8, 9]  # before the range
        assert targets[0, :, 1].tolist() == [110, 111]
        assert found.first_row(4) == 14

    def test_etth1(self):
        """The published protocol: windows look back over the border."""
        rows, borders = (
            np.zeros((17420, 1)),
            data.split_borders(17420, (8640, 2880, 2880)),
        )
        counts = [
            data.WindowBatches([rows], 336, 96, 32, ranges=[borders[part]]).num_windows
            for part in ("train", "validation", "test")
        ]
        assert counts == [8640 - 336 - 96 + 1, 2785, 2785]

    def test_no_window_goes_from_one_series_to_another(self):
        series = [ROWS, 1000 + ROWS[:7]]
        found = batches(series=series, batch_size=1)
        assert found.num_windows == 16 + 3
        inputs, targets, _ = found[16]
        assert inputs["history"][0, :, 0].tolist() == [1000, 1001, 1002]
        for index in range(19):
            inputs, targets, _ = found[index]
            row = np.concatenate([inputs["history"], targets], axis=1)[0, :, 0]
            assert (np.diff(row) == 1).all()


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"series": [ROWS, ROWS[:4]]}, "does not fit.*series 1 with 4 rows"),
            ({"ranges": [(18, 19)]}, "rows 18 to 19"),
            ({"batch_size": 17, "shuffle": True}, "batch_size=17 for 16 windows"),
            ({"batch_size": 0}, "positive"),
        ],
    )
    def test_bad_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            batches(**options)

    def test_index(self):
        with pytest.raises(IndexError):
            batches()[4]
