"""Initializers for layers that are built of several cells."""

import keras


def cell_options(cell, kernel_initializer, recurrent_initializer, unit_forget_bias):
    """How the weights of one cell or recurrent layer start, as keyword arguments.

    Args:
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        kernel_initializer: Initializer of the input's weights: the name of a Keras
            initializer, its configuration, or an object.
        recurrent_initializer: Initializer of the state's weights, likewise.
        unit_forget_bias: Whether the bias of an LSTM's forget gate starts at 1.

    Returns:
        A dict; `unit_forget_bias` is in it only for an LSTM.
    """
    options = {
        "kernel_initializer": _fresh(kernel_initializer),
        "recurrent_initializer": _fresh(recurrent_initializer),
    }
    if cell == "lstm":
        options["unit_forget_bias"] = unit_forget_bias
    return options


def config(initializer):
    """What `get_config` returns of an initializer: a name stays a name."""
    if isinstance(initializer, (str, dict)):
        return initializer
    return keras.initializers.serialize(initializer)


def _fresh(initializer):
    """An initializer with random numbers of its own.

    One object without a seed gives the same numbers each time it is called, so that
    cells which share it would start out equal.
    """
    return initializer.clone() if hasattr(initializer, "seed") else initializer
