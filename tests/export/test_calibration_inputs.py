"""Inputs of signatures out of files, arrays and pipelines."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseq.export import calibration_inputs

X = np.arange(20.0).reshape(5, 4)
Y = np.arange(5)


def signature(batch_size=1):
    specs = {"x": ((batch_size, 4), "float32"), "n": ((batch_size,), "int32")}
    return types.SimpleNamespace(specs=specs)


ONE = {"serve": signature()}


class Data(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return {"x": X[:2] + index, "n": Y[:2]}, np.zeros(2)


def tf_data():
    pairs = tf.data.Dataset.from_tensor_slices(({"x": X, "n": Y}, Y))
    return pairs.batch(2).repeat()


@pytest.mark.parametrize(
    "data, count",
    [
        ({"x": X, "n": Y}, 5),
        ({"serve/x": X, "serve/n": Y}, 5),
        ([{"x": X[:1], "n": Y[:1]}, {"x": X[1:2], "n": Y[1:2]}], 2),
        ([[X, Y]], 5),
        ([([X, Y], np.zeros(5))], 5),
        (Data(), 4),
        (tf_data(), 7),
    ],
)
def test_rows(data, count):
    found = calibration_inputs.from_data(ONE, data, "data", max_rows=7)["serve"]
    assert len(found) == count
    np.testing.assert_array_equal(found[0]["x"], X[:1])
    np.testing.assert_array_equal(found[1]["n"], [1])


def test_a_batch_size(tmp_path):
    np.savez(tmp_path / "rows.npz", x=X, n=Y)
    table = {"serve": signature(batch_size=2)}
    found = calibration_inputs.from_data(table, tmp_path / "rows.npz", "data")["serve"]
    assert len(found) == 2  # the fifth row fills no batch
    np.testing.assert_array_equal(found[1]["x"], X[2:4])


def test_several_signatures():
    table = ONE | {"other": signature()}
    data = {"serve/x": X, "serve/n": Y, "other/x": X[:1], "other/n": Y[:1]}
    found = calibration_inputs.from_data(table, data, "data")
    assert {name: len(rows) for name, rows in found.items()} == {"serve": 5, "other": 1}
    as_it_is = {"other": [{"x": 1}]}
    assert calibration_inputs.from_data(table, as_it_is, "data") == as_it_is


@pytest.mark.parametrize(
    "table, data, message",
    [
        (ONE | {"other": signature()}, {"x": X}, "say which one"),
        (ONE, {"other/x": X}, "name signatures of"),
        (ONE, {"x": X, "n": Y[:2]}, "the same number of rows"),
        (ONE, "missing.npz", "must be an .npz file"),
    ],
)
def test_bad_data(table, data, message):
    with pytest.raises(ValueError, match=message):
        calibration_inputs.from_data(table, data, "data")
