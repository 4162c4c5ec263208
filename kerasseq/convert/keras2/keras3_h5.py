"""A `.h5` file of Keras 3, whose operations between layers Keras 3 does not read back.

Its layers are written without the module they come from, which is known for layers and
models, but not for operations.
"""

from collections.abc import Mapping
from typing import Any

import keras

import kerasseq.layers  # noqa: F401 (registers its classes)
from kerasseq.convert.keras2 import layer_config
from kerasseq.convert.keras2.model_builder import MODELS, Child, first_line


def build(config: dict[str, Any], custom_objects: Mapping[str, Any]) -> keras.Model:
    """Builds the model.

    Args:
        config: The serialized model.
        custom_objects: `{name: class or function}` of the user.

    Returns:
        A model with new weights.

    Raises:
        ValueError: If Keras cannot build it.
    """
    found = _subclasses(keras.Operation)
    layers = keras.layers.Layer
    operations = {cls.__name__: cls for cls in found if not issubclass(cls, layers)}
    config = _with_modules(config, operations, custom_objects)
    try:
        return keras.saving.deserialize_keras_object(config, dict(custom_objects))
    except Exception as error:  # Keras raises what a constructor raises
        raise ValueError(
            f"Keras cannot build the model of the file: {first_line(error)}"
        ) from error


def children(model: keras.Model) -> dict[int, list[Child]]:
    """The layers of a model and of the models in it: `{id of a model: its layers}`."""
    found: dict[int, list[Child]] = {}
    for layer in model._flatten_layers():
        if isinstance(layer, keras.Model):
            found[id(layer)] = [
                Child(x.name, type(x).__name__, x) for x in layer.layers
            ]
    return found


def rows(model: keras.Model, path: str = "") -> list[dict[str, Any]]:
    """The report: one dict per layer, without the number of weights."""
    found = []
    for layer in model.layers:
        name, kind = f"{path}{layer.name}", type(layer).__name__
        row = {"name": name, "old_class": kind, "new_class": kind, "changes": []}
        found.append(row | {"layer": layer})
        if isinstance(layer, keras.Model):
            found += rows(layer, f"{name}/")
    return found


def _with_modules(value, operations, custom_objects):
    """A copy in which each serialized object says where its class comes from."""
    if isinstance(value, list):
        return [_with_modules(item, operations, custom_objects) for item in value]
    if not isinstance(value, dict):
        return value
    new = {k: _with_modules(v, operations, custom_objects) for k, v in value.items()}
    if "module" in new or not isinstance(new.get("config"), dict):
        return new
    name = str(new.get("class_name"))
    if name.startswith("__"):
        return new
    if name in MODELS:
        kind = "Sequential" if name == "Sequential" else "Model"
        return new | {"module": "keras", "class_name": kind, "registered_name": None}
    found, _ = layer_config.find_class(new, custom_objects)
    if "trainable" not in new["config"]:
        found = operations.get(name, found)
    return new | _origin(name, found)


def _origin(name, found):
    if found is not None and found.__module__.startswith("keras."):
        return {"module": found.__module__, "registered_name": None}
    return {"module": None, "registered_name": name}


def _subclasses(cls):
    for other in cls.__subclasses__():
        if other.__module__.startswith("keras."):
            yield other
            yield from _subclasses(other)
