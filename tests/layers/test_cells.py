"""The table of cells, and the options that reach a cell by its name."""

import keras
import numpy as np
import pytest

from kerasseq import layers, models
from kerasseq.layers import cells

SCALED = keras.initializers.Identity(gain=0.5)


def decoder(**options):
    layer = layers.AttentionDecoder(4, num_layers=2, **options)
    layer.build((None, None, 3), (None, None, 4))
    return layer


@pytest.mark.parametrize("name", layers.CELLS)
def test_a_line_of_the_table_is_true(name):
    entry = layers.CELLS[name]
    layer, cell = entry.layer(3), cells.make_cell(name, 3)
    assert type(layer.cell) is type(cell) is entry.cell
    assert entry.has_forget_gate == ("unit_forget_bias" in cell.get_config())
    config, own = cell.get_config(), layer.cell.get_config()
    assert {**config, "name": ""} == {**own, "name": ""}
    if entry.stock:
        stock = getattr(keras.layers, entry.stock)
        assert stock.from_config(layer.get_config()).units == 3


def test_none_is_the_initializer_of_the_cell():
    options = {"kernel_initializer": None, "recurrent_initializer": None}
    cell = cells.make_cell("irnn", 3, unit_forget_bias=True, **options)
    assert type(cell.recurrent_initializer).__name__ == "Identity"
    assert cell.activation is keras.activations.relu


def test_a_name_stays_a_name():
    layer = decoder(recurrent_initializer="he_normal")
    assert layer.get_config()["recurrent_initializer"] == "he_normal"


def test_cells_do_not_share_the_numbers_of_one_object():
    one = keras.initializers.HeNormal()
    cells = decoder(recurrent_initializer=one).cells
    first, second = (np.asarray(cell.recurrent_kernel) for cell in cells)
    assert not np.array_equal(first, second)


def test_the_decoder_starts_as_told():
    layer = decoder(cell="simple_rnn", recurrent_initializer=SCALED)
    for cell in layer.cells:
        np.testing.assert_array_equal(cell.recurrent_kernel, 0.5 * np.eye(4))
    for unit in (True, False):
        layer = decoder(kernel_initializer="zeros", unit_forget_bias=unit)
        for cell in layer.cells:
            np.testing.assert_array_equal(cell.kernel, 0)
            np.testing.assert_array_equal(cell.bias[4:8], float(unit))


def test_the_decoder_comes_back_from_its_configuration():
    constant = keras.initializers.Constant(0.5)
    layer = decoder(cell="simple_rnn", recurrent_initializer=constant)
    again = layers.AttentionDecoder.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    again.build((None, None, 3), (None, None, 4))
    np.testing.assert_array_equal(again.cells[1].recurrent_kernel, 0.5)


def test_a_translator_starts_as_told():
    model = models.seq2seq(
        11,
        units=8,
        embedding_dim=4,
        cell="simple_rnn",
        recurrent_initializer="identity",
        kernel_initializer="zeros",
    )
    kernels = {w.path: np.asarray(w) for w in model.weights}
    kernels = {path: w for path, w in kernels.items() if "recurrent_kernel" in path}
    assert len(kernels) == 3  # the encoder's directions and the decoder
    for kernel in kernels.values():
        np.testing.assert_array_equal(kernel, np.eye(len(kernel)))


def test_errors():
    with pytest.raises(ValueError, match="interpret initializer identifier: 3"):
        layers.AttentionDecoder(4, kernel_initializer=3)
    with pytest.raises(ValueError, match="no_such"):
        layers.AttentionDecoder(4, recurrent_initializer="no_such")
