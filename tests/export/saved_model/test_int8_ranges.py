import keras
import numpy as np
import pytest

from kerasseq import export

layers = keras.layers


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Two directions beside a convolution of a wider range; small cell states."""
    keras.utils.set_random_seed(1)
    rows = {"x": np.random.default_rng(0).normal(size=(40, 12, 1)).astype("float32")}
    inputs = keras.Input((12, 1), name="x")
    lstm = layers.LSTM(8, return_sequences=True)
    wide = layers.Conv1D(4, 5, kernel_initializer="ones")(inputs)
    x = layers.Concatenate()(
        [layers.Flatten()(x) for x in (layers.Bidirectional(lstm)(inputs), wide)]
    )
    y = layers.Dense(3, name="y")(x)
    states = layers.LSTM(4, name="small")(0.1 * inputs)
    return export.export_model(
        keras.Model(inputs, [y, states]),
        tmp_path_factory.mktemp("int8_ranges"),
        loop_strategy="fused",
        samples=rows,
        quantize=[export.Int8(rows)],
    )


def test_lstms_of_an_int8_file_compute_what_the_model_computes(exported):
    entry = next(x for x in exported["artifacts"] if x["precision"] == "int8")
    assert entry["ops"]["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 3
    for name, found in entry["parity"]["serve"]["outputs"].items():
        assert found["relative_error"] < 0.05, name
        assert found["correlation"] > 0.998, name
    assert not any("is off by" in x for x in exported["warnings"])


def test_the_errors_by_layer_are_those_of_the_mended_file(exported):
    entry = next(x for x in exported["artifacts"] if x["precision"] == "int8")
    errors = {row["layer"]: row["relative_error"] for row in entry["error_by_layer"]}
    assert "small" in errors and max(errors.values()) < 0.4
