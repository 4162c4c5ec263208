"""Which recurrent layers a phone cannot run as one fused operation, and why."""

import keras

from kerasseq.convert import cloning
from kerasseq.ops import kernels


def unfused_layers(model: keras.Model) -> list[tuple[str, str]]:
    """Lists the recurrent layers that cannot become TFLite's fused LSTM.

    They are exported as a loop over time instead. Which of the two is faster depends
    on the size.

    Args:
        model: A Keras model, of stock layers or of kerasseq's.

    Returns:
        A list of `(layer name, reason)`.

    Example:

    ```python
    model = keras.Sequential(
        [keras.Input((24, 3)), keras.layers.LSTM(8, activation="relu", name="lstm")]
    )
    kerasseq.convert.unfused_layers(model)
    # [("lstm", "activation is relu, the fused LSTM supports only tanh")]
    ```
    """
    reasons = [
        (layer.name, reason)
        for layer in cloning.all_layers(model)
        for cell in _cells(layer)
        if (reason := _reason(cell))
    ]
    return list(dict.fromkeys(reasons))


def unfused_activation(layer: keras.layers.Layer) -> str | None:
    """Names the activation that keeps an LSTM from the fused operation.

    Args:
        layer: A layer.

    Returns:
        The reason, or `None` if there is none or the layer does not loop over LSTMs.
    """
    lstms = [cell for cell in _cells(layer) if _is_lstm(cell)]
    return next(filter(None, map(_reason, lstms)), None)


def _cells(layer):
    if not isinstance(layer, keras.layers.RNN):
        return []
    return getattr(layer.cell, "cells", [layer.cell])


def _is_lstm(cell):
    return type(cell) is keras.layers.LSTMCell  # a subclass computes something else


def _reason(cell):
    if not _is_lstm(cell):
        return f"only LSTMCell can be fused, not {type(cell).__name__}"
    wanted = {"activation": kernels.TANH, "recurrent_activation": kernels.SIGMOID}
    for name, allowed in wanted.items():
        function = getattr(cell, name)
        if function not in allowed:
            given = getattr(function, "__name__", type(function).__name__)
            known = allowed[0].__name__
            return f"{name} is {given}, the fused LSTM supports only {known}"
    return None
