"""What reads a sequence and returns features of each position: one table of kinds."""

import functools

import keras
from keras import ops

from kerasseq import layers

KERNEL_SIZES = (3, 4, 5)


def encoder_kinds():
    """The names that `encode` knows, a list.

    Those of `kerasseq.layers.CELLS` and `kerasseq.layers.BLOCKS` read forward; with
    `bi` before it, as in `bilstm`, a cell reads both ways.
    """
    return [*_table()]


def encode(
    x,
    valid,
    arch,
    *,
    units=128,
    num_layers=1,
    dropout=0.0,
    num_heads=4,
    mlp_dim=None,
    **cell_options,
):
    """Reads a sequence with an encoder of the given kind.

    Args:
        x: Keras tensor of shape `(batch_size, length, features)`.
        valid: Keras tensor of booleans `(batch_size, length)`, `False` for padding,
            which lies on the right and changes nothing at other positions; `None` where
            there is none.
        arch: One of `encoder_kinds()`: `"mlp"`, each position on its own; a recurrent
            cell, or `bi` and its name; a block, as `"mamba"`; `"cnn"`, convolutions
            over 3, 4 and 5 positions side by side (Kim, 2014); `"transformer"`.
        units: Features of the result; of each direction in a bidirectional one.
        num_layers: Number of layers. From the second on, each adds its input.
        dropout: Float between 0 and 1. Fraction to drop between layers.
        num_heads: Attention heads of a `"transformer"`; divides `units`.
        mlp_dim: Width of its feed-forward layers. Four times `units` by default.
        **cell_options: Other arguments of recurrent cells, see
            `kerasseq.layers.StackedRNN`, or of blocks.

    Returns:
        A Keras tensor `(batch_size, length, units)`, of twice as many features if both
        directions are read. Where `valid` is `False`, it holds anything. A recurrent
        encoder is the layer `encoder` of the model.

    Raises:
        ValueError: for an unknown kind, sizes that are not positive, or heads that do
            not divide `units`.

    Reference:
        Kim (2014), Convolutional Neural Networks for Sentence Classification; Vaswani
        et al. (2017), Attention Is All You Need; Graves and Schmidhuber (2005),
        Framewise Phoneme Classification with Bidirectional LSTM.
    """
    table = _table()
    if arch not in table:
        raise ValueError(
            f"`arch` must be one of {', '.join(table)}. Received: arch={arch!r}"
        )
    if min(units, num_layers) < 1 or not 0 <= dropout < 1:
        raise ValueError(
            "`units` and `num_layers` must be positive and `dropout` in [0, 1). "
            f"Received: units={units}, num_layers={num_layers}, dropout={dropout}"
        )
    options = {"units": units, "num_layers": num_layers, "dropout": dropout}
    if arch == "transformer":
        options |= {"num_heads": num_heads, "mlp_dim": mlp_dim or 4 * units}
    elif arch not in ("mlp", "cnn"):
        options |= cell_options
    return table[arch](x, valid, **options)


def _table():
    """`{name: function of x, valid and options}`."""
    table = {"mlp": _feed_forward}
    for cell in layers.CELLS:
        for prefix, both in (("", False), ("bi", True)):
            table[prefix + cell] = functools.partial(
                _recurrent, cell=cell, bidirectional=both
            )
    for block in layers.BLOCKS:
        table[block] = functools.partial(_blocks, cell=block)
    return table | {"cnn": _convolutions, "transformer": _transformer}


def _feed_forward(x, valid, units, num_layers, dropout):
    for index in range(num_layers):
        below = layers.Dropout(dropout)(x) if index else x
        y = keras.layers.Dense(units, "relu", name=f"dense_{index}")(below)
        x = x + y if index else y
    return x


def _recurrent(x, valid, units, num_layers, dropout, **options):
    encoder = layers.StackedRNN(
        units,
        num_layers,
        dropout=dropout,
        residual=num_layers > 1,
        return_sequences=True,
        return_state=True,
        name="encoder",
        **options,
    )
    return encoder(x, mask=valid)[0]


def _blocks(x, valid, units, num_layers, dropout, cell, **options):
    if x.shape[-1] != units:
        x = keras.layers.Dense(units, name="projection")(x)
    encoder = layers.ResidualStack(
        units,
        num_layers,
        cell,
        dropout=dropout,
        return_state=True,
        name="encoder",
        **options,
    )
    return encoder(x)[0]


def _convolutions(x, valid, units, num_layers, dropout):
    for index in range(num_layers):
        below = layers.Dropout(dropout)(x) if index else x
        y = _convolution(_cleared(below, valid), units, f"conv_{index}")
        x = x + y if index else y
    return x


def _convolution(x, units, name):
    """Several widths side by side; their filters add up to `units`."""
    widths = [(units + k) // len(KERNEL_SIZES) for k in range(len(KERNEL_SIZES))]
    found = [
        keras.layers.Conv1D(
            filters, size, padding="same", activation="relu", name=f"{name}_{size}"
        )(x)
        for filters, size in zip(widths, KERNEL_SIZES, strict=True)
        if filters
    ]
    return keras.layers.Concatenate(name=name)(found) if len(found) > 1 else found[0]


def _cleared(x, valid):
    """Zeros in place of padding, as beyond the ends of a sequence."""
    if valid is None:
        return x
    return x * ops.cast(ops.expand_dims(valid, -1), x.dtype)


def check_heads(units, num_heads, even=False):
    """Refuses heads that do not divide the units of a Transformer.

    Args:
        units: Integer.
        num_heads: Integer.
        even: Whether a head must have an even number of them, for rotary positions.

    Raises:
        ValueError: naming both.
    """
    size = 2 if even else 1
    if num_heads < 1 or units % (size * num_heads):
        raise ValueError(
            f"`num_heads` must divide `units`{', by an even number' * even}. "
            f"Received: num_heads={num_heads}, units={units}"
        )


def _transformer(x, valid, units, num_layers, num_heads, mlp_dim, dropout):
    check_heads(units, num_heads, even=True)
    if x.shape[-1] != units:
        x = keras.layers.Dense(units, name="projection")(x)
    encoder = layers.TransformerEncoder(
        num_layers,
        num_heads,
        mlp_dim,
        positions="rotary",
        dropout=dropout,
        name="blocks",
    )
    return encoder(x, mask=valid)
