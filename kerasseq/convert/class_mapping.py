"""Maps stock recurrent classes to those of kerasseq and back, in serialized models."""

from typing import Any

import keras

from kerasseq import layers

_ENTRIES = [cell for cell in layers.CELLS.values() if cell.stock]
# The class of the same name; other cells may take the configuration of a stock class.
_TWINS = {"RNN": layers.RNN} | {
    cell.stock: cell.layer for cell in _ENTRIES if cell.layer.__name__ == cell.stock
}
# The configuration of each of these is also one of the stock class of this name.
_STOCK_NAMES = {
    keras.saving.get_registered_name(layer): name
    for layer, name in [
        (layers.RNN, "RNN"),
        *((cell.layer, cell.stock) for cell in _ENTRIES),
    ]
}
PACKAGE = "kerasseq"


def with_kerasseq(config: dict[str, Any]) -> dict[str, Any]:
    """Replaces each stock recurrent layer of a serialized model by kerasseq's.

    Args:
        config: A nested configuration, from `keras.saving.serialize_keras_object`.

    Returns:
        A copy with other class names.
    """

    def rename(node):
        twin = _TWINS.get(node["class_name"])
        if twin is None or node.get("module") != "keras.layers":
            return node
        return node | {
            "module": twin.__module__,
            "registered_name": keras.saving.get_registered_name(twin),
            "config": _without_cudnn(node["config"]),
        }

    return _rewritten(config, rename)


def with_stock(config: dict[str, Any]) -> dict[str, Any]:
    """Replaces each kerasseq layer of a serialized model by its stock class.

    Args:
        config: A nested configuration, from `keras.saving.serialize_keras_object`.

    Returns:
        A copy with other class names.

    Raises:
        ValueError: If something of kerasseq has no stock class; all are named.
    """

    def rename(node):
        name = _STOCK_NAMES.get(node.get("registered_name"))
        if name is None:
            return node
        return node | {
            "module": "keras.layers",
            "class_name": name,
            "registered_name": None,
            "config": _without_cudnn(node["config"]),
        }

    config = _rewritten(config, rename)
    left = names_of_kerasseq(config)
    if left:
        raise ValueError(
            "Some parts of the model have no twin in stock Keras; build them from "
            "`keras.layers`, or keep kerasseq installed where the model is opened and "
            f"save it as it is. Received: {', '.join(left)}"
        )
    return config


def names_of_kerasseq(config: Any) -> list[str]:
    """Lists what in a serialized object only kerasseq can open.

    Args:
        config: A nested configuration.

    Returns:
        A list such as `["'decoder' of class AttentionDecoder"]`.
    """
    found = []

    def collect(node):
        origins = (node.get("registered_name"), node.get("module"))
        if any(str(o).replace(">", ".").split(".")[0] == PACKAGE for o in origins):
            found.append(_described(node))
        return node

    _rewritten(config, collect)
    return list(dict.fromkeys(found))


def _rewritten(value, change):
    """Copies nested data, from the outside in; `change` gets each serialized object."""
    if isinstance(value, (list, tuple)):
        return type(value)(_rewritten(item, change) for item in value)
    if not isinstance(value, dict):
        return value
    if "class_name" in value and "config" in value:
        value = change(value)
    return {key: _rewritten(item, change) for key, item in value.items()}


def _without_cudnn(config):
    # These layers never use cuDNN; `"auto"` is the default of the stock ones.
    return {key: value for key, value in config.items() if key != "use_cudnn"}


def _described(node):
    config, kind = node["config"], node["class_name"]
    name = config.get("name") if isinstance(config, dict) else config
    return f"'{name}' of class {kind}" if name else kind
