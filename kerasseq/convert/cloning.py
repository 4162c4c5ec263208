"""Re-creates a model from its configuration, rewritten on the way."""

import tempfile
import types
import warnings
from collections.abc import Callable
from typing import Any

import keras


def all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Lists a model and all layers in it, also those in wrappers and nested models.

    Args:
        model: A Keras model.

    Returns:
        A list of layers; the model comes first.
    """
    return list(model._flatten_layers(include_self=True, recursive=True))


def check_model(model: Any, purpose: str) -> None:
    """Checks that a model can be re-created.

    Args:
        model: What the caller received as a model.
        purpose: What is to be done with it: "exported", "converted".

    Raises:
        ValueError: If it is no `keras.Model`, is not built, or holds a stateful layer.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"Only a `keras.Model` can be {purpose}. "
            f"Received: model={model!r} of type {type(model).__name__}"
        )
    if not model.built:
        raise ValueError(
            "The model is not built; call it once, or `model.build(input_shape)`. "
            f"Received: model '{model.name}' of class {type(model).__name__}"
        )
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            raise ValueError(
                f"A model with a stateful layer cannot be {purpose}; re-create the "
                "layer with `stateful=False` and make its state an input and an "
                f"output of the model. Received: layer '{layer.name}' of class "
                f"{type(layer).__name__} with stateful=True"
            )


def recreate(
    model: keras.Model, rewrite: Callable[[dict[str, Any]], dict[str, Any]]
) -> keras.Model:
    """Builds a model again from its configuration and copies its state.

    Args:
        model: A built model; it is not touched.
        rewrite: A function of the serialized model, a nested dict, that returns the
            serialized model to build. No part of it holds a `compile_config`.

    Returns:
        An uncompiled model with the same weights, random seeds and vocabularies.

    Raises:
        ValueError: If the model cannot be re-created from its configuration.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = _uncompiled(keras.saving.serialize_keras_object(model))
    except Exception as error:
        raise _incomplete(model, error) from error
    config = rewrite(config)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            copy = keras.saving.deserialize_keras_object(
                config, custom_objects=local_objects(model), safe_mode=False
            )
    except Exception as error:  # Keras raises what the layer's constructor raises
        raise _incomplete(model, error) from error
    if not isinstance(copy, keras.Model) or not copy.built:
        raise ValueError(
            f"The model '{model.name}' of class {type(model).__name__} is not built "
            "when it is re-created from its configuration; write it as a functional "
            "model, or define `get_config` and `build_from_config`."
        )
    _copy_weights(model, copy)
    _copy_other_state(model, copy)
    return copy


def local_objects(model: keras.Model) -> dict[str, Any]:
    """Finds the classes and functions that the configuration of a model names.

    This also finds one that is not registered, or was defined in a function, since the
    model already holds it.

    Args:
        model: A Keras model.

    Returns:
        `{registered name: class or function}`.
    """
    found = {}
    for layer in all_layers(model):
        for value in (layer, *vars(layer).values()):
            if not isinstance(value, types.FunctionType):
                value = type(value) if hasattr(value, "get_config") else None
            if value is not None and (value.__module__ or "").split(".")[0] != "keras":
                found[keras.saving.get_registered_name(value)] = value
    return found


def _uncompiled(config):
    if isinstance(config, (list, tuple)):
        return type(config)(_uncompiled(item) for item in config)
    if not isinstance(config, dict):
        return config
    return {k: _uncompiled(v) for k, v in config.items() if k != "compile_config"}


def _incomplete(model, error):
    return ValueError(
        f"The model '{model.name}' of class {type(model).__name__} cannot be "
        "re-created from its configuration; each custom class needs a "
        "`get_config` with all its constructor arguments, and each activation a "
        f"function with a name. ({error})"
    )


def _copy_weights(model, copy):
    shapes = [tuple(weight.shape) for weight in model.weights]
    copy_shapes = [tuple(weight.shape) for weight in copy.weights]
    if shapes != copy_shapes:
        raise ValueError(
            f"The model '{model.name}' of class {type(model).__name__} has other "
            "weights after it is re-created from its configuration; create all weights "
            "in `__init__` or `build`, and share no layer between nested models. "
            f"Received: {len(shapes)} weights {shapes}, "
            f"re-created: {len(copy_shapes)} weights {copy_shapes}"
        )
    copy.set_weights(
        [
            # NumPy's bfloat16 goes into a float32 variable by way of float32.
            value if own.dtype == other.dtype else value.astype(other.dtype)
            for value, own, other in zip(
                model.get_weights(), model.weights, copy.weights, strict=True
            )
        ]
    )


def _copy_other_state(model, copy):
    """Random seeds, vocabularies, and what a layer derives from its weights."""
    seeds, own_seeds = _non_weights(copy), _non_weights(model)
    if [v.shape for v in seeds] == [v.shape for v in own_seeds]:
        for variable, own in zip(seeds, own_seeds, strict=True):
            variable.assign(own)
    layers = zip(all_layers(model), all_layers(copy), strict=False)
    for layer, other in layers:
        if hasattr(layer, "save_assets") and type(layer) is type(other):
            with tempfile.TemporaryDirectory() as folder:
                layer.save_assets(folder)
                other.load_assets(folder)
        if isinstance(other, keras.layers.Normalization):
            other.finalize_state()


def _non_weights(model):
    weights = {id(weight) for weight in model.weights}
    return [v for v in model.variables if id(v) not in weights]
