"""P3: files and configurations keep everything; weights move to the stock twin."""

import catalog
import keras
import numpy as np
import pytest
from contract import load_and_run

from kerasseq import layers

WITH_TWIN = [p for p in catalog.keeping("P3") if p.values[0].stock is not None]


@pytest.mark.parametrize("entry", catalog.keeping("P3", variants_are_slow=True))
def test_keras_file_gives_the_same_bits_in_a_fresh_process(entry, reload):
    folder = reload(keras.backend.backend())
    expected = np.load(folder / f"{entry.id}.expected.npy")
    found = np.load(folder / f"{entry.id}.{keras.backend.backend()}.npy")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("entry", catalog.keeping("P3", variants_are_slow=True))
def test_config_round_trip(entry):
    model = entry.model()
    again = model.__class__.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


@pytest.mark.parametrize("entry", WITH_TWIN)
def test_weights_move_to_stock_keras_and_back(entry, tmp_path):
    model, inputs = entry.model(), entry.inputs()
    stock = entry.build(entry.stock)
    stock.set_weights(model.get_weights())
    stock.save_weights(tmp_path / "stock.weights.h5")
    expected = load_and_run.run(model, inputs)
    found = load_and_run.run(stock, inputs)
    np.testing.assert_allclose(found, expected, atol=1e-5)

    back = entry.build(getattr(layers, entry.covers))
    back.load_weights(tmp_path / "stock.weights.h5")
    np.testing.assert_array_equal(load_and_run.run(back, inputs), expected)
