"""What Keras 2 did where a file leaves an argument out.

Keras 3 would fill in its own default. Read from the constructors and `get_config` of
github.com/keras-team/keras, tags 2.0.0 to 2.3.1, and of tf_keras 2.21.
"""

import re
from collections.abc import Mapping
from typing import Any

Version = tuple[int, ...]

# {class: {argument: value}}. GRU had no other form before Keras 2.1.5.
_EVER: dict[str, dict[str, Any]] = {
    "GRU": {"reset_after": False},
    "GRUCell": {"reset_after": False},
    "ConvLSTM1D": {"recurrent_activation": "hard_sigmoid"},
    "ConvLSTM2D": {"recurrent_activation": "hard_sigmoid"},
    "ConvLSTM3D": {"recurrent_activation": "hard_sigmoid"},
    "ThresholdedReLU": {"theta": 1.0},
}
# Keras without TensorFlow in its version; tf.keras 2 has the default of Keras 3.
_STANDALONE: dict[str, dict[str, Any]] = {
    name: {"recurrent_activation": "hard_sigmoid"}
    for name in ("GRU", "GRUCell", "LSTM", "LSTMCell")
}
# Layers had this argument later than they had an axis of channels, which was the last.
_ANY_LAYER: dict[str, Any] = {"data_format": "channels_last"}
_STATES_IN_ORDER = (2, 2, 3)


def missing(node: Mapping[str, Any], version: str | None) -> dict[str, Any]:
    """The arguments that a layer of Keras 2 had without saying so.

    Args:
        node: A serialized layer.
        version: The version of Keras that wrote it, if known.

    Returns:
        `{argument: value}` for arguments that the configuration lacks.

    Raises:
        ValueError: If its states are in an order that Keras 3 does not have.
    """
    name, config = node["class_name"], node["config"]
    known = _ANY_LAYER | _EVER.get(name, {})
    if standalone(version):
        known |= _STANDALONE.get(name, {})
        _check_state_order(node, version)
    return {key: value for key, value in known.items() if key not in config}


def standalone(version: str | None) -> Version | None:
    """The numbers of a version of Keras 2 that was no part of TensorFlow, else None."""
    match = re.fullmatch(r"(2)\.([0-3])\.(\d+)", str(version))
    return tuple(map(int, match.groups())) if match else None


def _check_state_order(node, version):
    """Before Keras 2.2.3 a stack returned the states of its last cell first."""
    cell = node["config"].get("cell")
    if not isinstance(cell, Mapping) or cell.get("class_name") != "StackedRNNCells":
        return
    takes_states = any(len(call) > 1 for call in node.get("inbound_nodes", ()))
    with_states = node["config"].get("return_state") or takes_states
    if with_states and standalone(version) < _STATES_IN_ORDER:
        raise ValueError(
            "its states are in the reverse order of Keras 3, as before Keras 2.2.3; "
            f"save the file anew with Keras 2.2.3 or later. Received: {version}"
        )
