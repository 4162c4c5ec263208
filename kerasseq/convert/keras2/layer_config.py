"""The configuration of one layer of Keras 2, as Keras 3 takes it."""

import inspect
from collections.abc import Mapping
from typing import Any

import keras

from kerasseq import ops
from kerasseq.convert.keras2 import defaults

HARD_SIGMOID_KEPT = "hard_sigmoid of Keras 2 kept"
SUBLAYERS = ("layer", "backward_layer", "cell", "cells")
# Their configuration holds code, or the path of something to load and run.
UNSAFE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
# Their state is no weight: vocabularies are kept in assets or in lookup tables.
_CODE = (
    "it holds code, which is never run; write a layer class instead, and give it for "
    "this layer (layer_classes=, or --layer NAME=MODULE:CLASS)"
)
_LOOKUPS = {"StringLookup", "IntegerLookup", "TextVectorization"}
_NEW_CLASSES = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "ThresholdedReLU": "ReLU",
    "CuDNNGRU": "GRU",
    "CuDNNLSTM": "LSTM",
}
_NEW_ARGUMENTS = {"LeakyReLU": ("alpha", "negative_slope")}
_NEW_ARGUMENTS["ThresholdedReLU"] = ("theta", "threshold")
_ANY_LAYER = {"activity_regularizer", "dtype", "name", "trainable"}
# Arguments that Keras 3 lacks and does not need, at any value ..
_NEEDLESS = {"batch_input_shape", "implementation", "input_length", "fused"}
_NEEDLESS |= {"query_shape", "key_shape", "value_shape", "softmax_robust_masking"}
_NEEDLESS |= {"kernel_initializer", "kernel_regularizer", "kernel_constraint"}
_NEEDLESS |= {"trainable", "activity_regularizer"}  # of layers without weights
_NEEDLESS |= {"renorm_clipping", "renorm_momentum", "rng_type"}
# .. or at this value, with which they do nothing.
_NO_EFFECT = {
    "causal": False,
    "groups": 1,
    "ragged": False,
    "renorm": False,
    "reverse_state_order": False,
    "sparse": False,
    "time_major": False,
}
_HARD_SIGMOID = {
    "module": "builtins",
    "class_name": "function",
    "config": keras.saving.get_registered_name(ops.keras2_hard_sigmoid),
    "registered_name": "function",
}


def find_class(
    node: Mapping[str, Any], custom_objects: Mapping[str, Any]
) -> tuple[Any, str | None]:
    """Finds the class of a layer.

    Args:
        node: A serialized layer.
        custom_objects: `{name: class}` of the user.

    Returns:
        The class and `None`, or `None` and the reason why there is none.
    """
    name = str(node["class_name"])
    for key in (str(node.get("registered_name")), name, name.split(">")[-1]):
        if key in custom_objects:
            return custom_objects[key], None
    if name in UNSAFE:
        return None, _CODE
    if name in _LOOKUPS:
        return None, "vocabularies are not imported"
    found = getattr(keras.layers, _NEW_CLASSES.get(name, name), None)
    found = found or keras.saving.get_registered_object(name)
    if inspect.isclass(found) and issubclass(found, keras.layers.Layer):
        return found, None
    return None, (
        "Keras 3 has no such layer; pass its class in `custom_objects` "
        f"(--custom MODULE:{name.split('>')[-1]})"
    )


def rewrite(
    node: Mapping[str, Any], layer_class: type, version: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Rewrites the configuration of a layer, but not those of its sub-layers.

    Args:
        node: A serialized layer of Keras 2.
        layer_class: Its class in Keras 3.
        version: The version of Keras that wrote it, if known.

    Returns:
        The new configuration, and a list of what was changed in it.

    Raises:
        ValueError: If it has an argument that Keras 3 does not have.
    """
    changes: list[str] = []
    stock = layer_class.__module__.startswith("keras.")
    written = node["config"]
    if stock:
        written = written | _missing(node, layer_class, version, changes)
    config = {k: _rewrite_value(k, value, changes) for k, value in written.items()}
    if not stock:
        return config, changes
    old, new = _NEW_ARGUMENTS.get(node["class_name"], (None, None))
    if old in config:
        config[new] = config.pop(old)
        changes.append(f"{old} is {new}")
    if node["class_name"].startswith("CuDNN"):
        changes.append(f"weights in the layout of {layer_class.__name__}")
        if layer_class is keras.layers.LSTM:
            changes.append("both biases added")
    if node["class_name"] == "SyncBatchNormalization":
        config["synchronized"] = True
    if node["class_name"] == "Bidirectional":
        config |= _other_direction(config)
    if layer_class is keras.layers.Discretization and "int" in str(config.get("dtype")):
        del config["dtype"]  # In a graph Keras 3 would round what it is given.
    for key in sorted(set(config) - arguments(layer_class)):
        value = config.pop(key)
        if key not in _NEEDLESS and value not in (None, _NO_EFFECT.get(key)):
            raise ValueError(
                f"{layer_class.__name__} of Keras 3 lacks the argument {key}. "
                f"Received: {key}={value!r}"
            )
        changes.append(f"without {key}")
    return config, changes


def arguments(layer_class: type) -> set[str]:
    """Names of the arguments of a constructor, and of those it passes to its bases."""
    own = inspect.signature(layer_class).parameters
    if not any(p.kind == p.VAR_KEYWORD for p in own.values()):
        return set(own)
    bases = (base for base in layer_class.__mro__ if "__init__" in vars(base))
    names = {name for base in bases for name in inspect.signature(base).parameters}
    return names | _ANY_LAYER


def _missing(node, layer_class, version, changes):
    known = arguments(layer_class) | set(_NEW_ARGUMENTS.get(node["class_name"], ()))
    found = defaults.missing(node, version)
    found = {key: value for key, value in found.items() if key in known}
    # Few say where their channels are, and nearly all have them in the last place.
    changes += [f"{k}={v!r}" for k, v in found.items() if k != "data_format"]
    return found


def _other_direction(config):
    """The second layer of a bidirectional one whose first goes backwards."""
    inner = config["layer"]
    if config.get("backward_layer") or not inner["config"].get("go_backwards"):
        return {}
    name = f"backward_{inner['config']['name']}"
    changed = inner["config"] | {"go_backwards": False, "name": name}
    return {"backward_layer": inner | {"config": changed}}


def _rewrite_value(key, value, changes):
    if key == "name" and value and "/" in value:
        changes.append("name without '/'")
        return value.replace("/", "_")
    if key == "dtype" and isinstance(value, dict):
        changes.append("dtype policy by name")
        return value["config"].get("name")
    if key == "axis" and isinstance(value, list) and len(value) == 1:
        changes.append("axis is a number")
        return value[0]
    if key.endswith("activation"):
        return _rewrite_activation(value, changes)
    if isinstance(value, dict) and key not in SUBLAYERS:
        return _rewrite_object(value)
    return value


def _rewrite_activation(value, changes):
    name = value
    if isinstance(value, dict) and isinstance(value.get("config"), str):
        name = value["config"]
    if name == "hard_sigmoid":
        changes.append(HARD_SIGMOID_KEPT)
        return _HARD_SIGMOID
    return "softmax" if name == "softmax_v2" else value


def _rewrite_object(value):
    """An initializer or the like; older files store a data type in some."""
    config = value.get("config")
    if not isinstance(config, dict):
        return value
    config = {key: item for key, item in config.items() if key != "dtype"}
    value = {key: item for key, item in value.items() if key != "shared_object_id"}
    return value | {"config": config}
