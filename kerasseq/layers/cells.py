"""The cells, one line each: whatever takes a cell by its name reads this table."""

import types
import typing

import keras

from kerasseq.layers import (
    gru,
    irnn,
    layer_norm_lstm,
    lstm,
    peephole_lstm,
    simple_rnn,
    zoneout_lstm,
)


class Cell(typing.NamedTuple):
    """What there is to know of a cell beside its class.

    Attributes:
        layer: The recurrent layer, in one direction.
        cell: The class of its cell.
        stock: Name of the layer of `keras.layers` that takes the same configuration
            and computes the same, if there is one.
        defaults: What the layer passes to the cell where nothing else is given.
    """

    layer: type
    cell: type
    stock: str | None = None
    defaults: dict = types.MappingProxyType({})

    @property
    def has_forget_gate(self):
        return issubclass(self.cell, keras.layers.LSTMCell)


CELLS = {
    "lstm": Cell(lstm.LSTM, keras.layers.LSTMCell, "LSTM"),
    "gru": Cell(gru.GRU, keras.layers.GRUCell, "GRU"),
    "simple_rnn": Cell(simple_rnn.SimpleRNN, keras.layers.SimpleRNNCell, "SimpleRNN"),
    "irnn": Cell(irnn.IRNN, keras.layers.SimpleRNNCell, "SimpleRNN", irnn.DEFAULTS),
    "layer_norm_lstm": Cell(
        layer_norm_lstm.LayerNormLSTM, layer_norm_lstm.LayerNormLSTMCell
    ),
    "peephole_lstm": Cell(peephole_lstm.PeepholeLSTM, peephole_lstm.PeepholeLSTMCell),
    "zoneout_lstm": Cell(zoneout_lstm.ZoneoutLSTM, zoneout_lstm.ZoneoutLSTMCell),
}


def make_cell(cell, units, **options):
    """Makes a cell.

    Args:
        cell: One of `CELLS`.
        units: Size of its state.
        **options: Arguments of the cell; `unit_forget_bias` is left out for cells
            without a forget gate, and an initializer that is `None` is the cell's own.

    Returns:
        A Keras cell.
    """
    entry = CELLS[cell]
    return entry.cell(units, **{**entry.defaults, **_options(entry, options)})


def make_layer(cell, seeds, name, merge_mode=None, **options):
    """Makes a recurrent layer, in one direction or both.

    Args:
        cell: One of `CELLS`.
        seeds: Iterator over seeds; each direction takes one.
        name: Name of the layer.
        merge_mode: How two directions are merged; `None` for one direction.
        **options: Arguments of the layer; those of the cell as in `make_cell`.

    Returns:
        A layer of `CELLS`, or a `keras.layers.Bidirectional` of two.
    """
    entry = CELLS[cell]
    options = _options(entry, options)
    forward = entry.layer(seed=next(seeds), name=name, **options)
    if merge_mode is None:
        return forward
    backward = entry.layer(
        seed=next(seeds), name=f"backward_{name}", go_backwards=True, **options
    )
    return keras.layers.Bidirectional(
        forward,
        merge_mode=merge_mode,
        backward_layer=backward,
        dtype=options.get("dtype"),
        name=name,
    )


def _options(entry, options):
    return {
        name: _fresh(value)
        for name, value in options.items()
        if not (name == "unit_forget_bias" and not entry.has_forget_gate)
        and not (name.endswith("initializer") and value is None)
    }


def _fresh(option):
    """An initializer with random numbers of its own.

    One object without a seed gives the same numbers each time it is called, so that
    cells which share it would start out equal.
    """
    is_random = isinstance(option, keras.initializers.Initializer)
    return option.clone() if is_random and hasattr(option, "seed") else option
