"""A recurrent layer, in one direction or both, by the name of its cell."""

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

LAYERS = {
    "lstm": lstm.LSTM,
    "gru": gru.GRU,
    "simple_rnn": simple_rnn.SimpleRNN,
    "irnn": irnn.IRNN,
    "layer_norm_lstm": layer_norm_lstm.LayerNormLSTM,
    "peephole_lstm": peephole_lstm.PeepholeLSTM,
    "zoneout_lstm": zoneout_lstm.ZoneoutLSTM,
}


def recurrent_by_name(cell, seeds, name, merge_mode=None, **options):
    """Makes a recurrent layer.

    Args:
        cell: One of `LAYERS`.
        seeds: Iterator over seeds; each direction takes one.
        name: Name of the layer.
        merge_mode: How two directions are merged; `None` for one direction.
        **options: Arguments of the layer; `unit_forget_bias` is left out for cells
            without a forget gate.

    Returns:
        A layer of `LAYERS`, or a `keras.layers.Bidirectional` of two.
    """
    if "lstm" not in cell:
        options.pop("unit_forget_bias", None)
    forward = LAYERS[cell](seed=next(seeds), name=name, **options)
    if merge_mode is None:
        return forward
    backward = LAYERS[cell](
        seed=next(seeds), name=f"backward_{name}", go_backwards=True, **options
    )
    return keras.layers.Bidirectional(
        forward,
        merge_mode=merge_mode,
        backward_layer=backward,
        dtype=options.get("dtype"),
        name=name,
    )
