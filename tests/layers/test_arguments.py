"""What `help` and an editor show of a constructor."""

import inspect

import keras
import pytest

from kerasseq import layers

CLASSES = [entry.layer for entry in layers.CELLS.values()]


def named(function):
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p for p in parameters if p.kind is not p.VAR_KEYWORD}


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "RNN"])
def test_stock_layers_show_the_arguments_of_keras(name):
    ours, stock = (named(getattr(x, name)) for x in (layers, keras.layers))
    assert sorted(ours) == sorted(stock)
    changed = {"use_cudnn"} & ours.keys()
    assert {k: p.default for k, p in ours.items() if k not in changed} == {
        k: p.default for k, p in stock.items() if k not in changed
    }
    assert all(ours[k].default is False for k in changed)


@pytest.mark.parametrize("layer_class", CLASSES)
def test_what_is_shown_can_be_given(layer_class):
    shown = named(layer_class)
    assert list(shown)[0] == "units" and "cell" not in shown
    assert {"return_sequences", "go_backwards", "dropout", "seed"} <= shown.keys()
    given = {k: p.default for k, p in shown.items() if k != "units"}
    assert layer_class(3, **given).units == 3


def test_arguments_of_a_cell_stand_beside_those_of_the_layer():
    shown = named(layers.ZoneoutLSTM)
    assert shown["zoneout_c"].default == 0.5
    assert shown["activation"].default == "tanh"
    assert named(layers.IRNN)["activation"].default == "relu"


def test_a_class_of_the_caller_shows_its_own():
    class Mine(layers.LSTM):
        def __init__(self, size, **kwargs):
            super().__init__(2 * size, **kwargs)

    class Closed(layers.GRU):
        def __init__(self):
            super().__init__(2)

    assert list(named(Mine))[0] == "size" and "return_state" in named(Mine)
    assert not named(Closed)


def test_sizes_of_heads():
    assert layers.RWKV7(128).head_size == 64
    assert layers.RWKV7(119).head_size == 17  # 7 heads, and not 119 of one unit
    assert layers.Mamba2(119).head_dim == 34
    assert layers.RWKV7(7).head_size == 7
