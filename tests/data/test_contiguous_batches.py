import numpy as np
import pytest

from kerasseq import data


def test_by_hand():
    batches = data.ContiguousBatches(np.arange(15), batch_size=2, length=3)
    assert len(batches) == 2
    assert batches.num_dropped == 2  # 12 inputs, the target of the last, and 2 more
    inputs, targets = batches[0]
    assert inputs.tolist() == [[0, 1, 2], [6, 7, 8]]
    assert targets.tolist() == [[1, 2, 3], [7, 8, 9]]
    inputs, targets = batches[1]
    assert inputs.tolist() == [[3, 4, 5], [9, 10, 11]]
    assert targets.tolist() == [[4, 5, 6], [10, 11, 12]]
    assert inputs.dtype == targets.dtype == "int32"


@pytest.mark.parametrize("extra", [0, 1, 11, 12])
def test_rows_are_contiguous_and_every_id_is_counted(extra):
    ids = np.random.default_rng(0).integers(0, 255, 3 * 4 * 5 + 1 + extra, "uint8")
    batches = data.ContiguousBatches(ids, batch_size=3, length=4)
    assert len(batches) == 5 + extra // 12
    assert batches.num_dropped == extra % 12
    rows = np.concatenate([inputs for inputs, _ in batches], axis=1)
    text = rows.reshape(-1)
    np.testing.assert_array_equal(text, ids[: len(text)])
    following = np.concatenate([targets for _, targets in batches], axis=1)
    np.testing.assert_array_equal(following.reshape(-1), ids[1 : len(text) + 1])
    assert rows.size + 1 + batches.num_dropped == len(ids)


def test_a_batch_follows_from_its_index():
    batches = data.ContiguousBatches(range(50), batch_size=2, length=4)
    first = [batches[3][0].tolist(), batches[0][0].tolist(), batches[3][0].tolist()]
    assert first[0] == first[2] != first[1]
    with pytest.raises(IndexError, match="6 batches"):
        batches[6]


@pytest.mark.parametrize(
    ("ids", "sizes", "message"),
    [
        (np.zeros((4, 4), "int32"), (1, 2), "one-dimensional integer array"),
        (np.zeros(9), (1, 2), "dtype float64"),
        (np.arange(8), (2, 4), "= 9 ids"),
        (np.arange(8), (0, 4), "at least 1"),
        (np.arange(8), (2, 0), "at least 1"),
    ],
)
def test_bad_arguments(ids, sizes, message):
    with pytest.raises(ValueError, match=message):
        data.ContiguousBatches(ids, *sizes)
