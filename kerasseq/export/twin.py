"""The portable twin: the same model in float32 and without cuDNN."""

import warnings

import keras

_POLICIES = ("DTypePolicy", "FloatDTypePolicy", "DTypePolicyMap")
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_FLOAT32_POLICY = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
}


def portable_twin(model):
    """Re-creates a model so that it can be exported anywhere.

    The twin comes from the configuration of the model, with every floating-point
    dtype policy set to float32 and `use_cudnn=False` on every stock recurrent layer,
    also inside wrappers and nested models. Its weights are copies; the model itself
    is not touched.

    Args:
        model: A built `keras.Model`: Functional, Sequential, or a subclass with a
            complete `get_config`.

    Returns:
        A new, uncompiled model of the same class.

    Raises:
        ValueError: If the model is not built, is quantised, holds a stateful layer,
            or cannot be re-created.

    Example:

    ```python
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([keras.Input((24, 3)), keras.layers.LSTM(8)])
    twin.portable_twin(model).compute_dtype  # "float32"
    ```
    """
    _check_model(model)
    twin = _recreate(model)
    for layer in all_layers(twin):
        if isinstance(layer, (keras.layers.LSTM, keras.layers.GRU)):
            layer.use_cudnn = False
    _copy_weights(model, twin)
    return twin


def all_layers(model):
    """Lists a model and all layers in it, also those in wrappers and nested models.

    Args:
        model: A Keras model.

    Returns:
        A list of layers; the model comes first.
    """
    return list(model._flatten_layers(include_self=True, recursive=True))


def _check_model(model):
    if not isinstance(model, keras.Model):
        raise ValueError(
            "Only a `keras.Model` can be exported. "
            f"Received: model={model!r} of type {type(model).__name__}"
        )
    if not model.built:
        raise ValueError(
            "The model is not built; call it once, or `model.build(input_shape)`. "
            f"Received: model '{model.name}' of class {type(model).__name__}"
        )
    for layer in all_layers(model):
        if getattr(layer, "quantization_mode", None):
            raise ValueError(
                "A quantised model has no float32 twin; export the model it was made "
                f"from. Received: layer '{layer.name}' of class {type(layer).__name__}"
                f" with quantization_mode={layer.quantization_mode!r}"
            )
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            raise ValueError(
                "A signature keeps nothing between calls; re-create the layer with "
                "`stateful=False` and make its state an input and an output. "
                f"Received: layer '{layer.name}' of class {type(layer).__name__} "
                "with stateful=True"
            )


def _in_float32(config):
    """Copies a nested configuration with each floating-point dtype as float32."""
    if isinstance(config, list):
        return [_in_float32(item) for item in config]
    if isinstance(config, tuple):
        return tuple(_in_float32(item) for item in config)
    if not isinstance(config, dict):
        return config
    if config.get("class_name") in _POLICIES and _is_float_policy(config):
        return dict(_FLOAT32_POLICY)
    return {
        key: "float32" if key == "dtype" and _is_float(value) else _in_float32(value)
        for key, value in config.items()
    }


def _is_float_policy(policy):
    name = policy.get("config", {}).get("name")
    return policy["class_name"] == "DTypePolicyMap" or _is_float(name)


def _is_float(name):
    return isinstance(name, str) and (name in _FLOATS or name.startswith("mixed_"))


def _recreate(model):
    # A class that is not registered, or was defined in a function, is known here all
    # the same; a lambda is as safe as the model that the caller already runs.
    classes = {type(layer) for layer in all_layers(model)}
    classes = {c.__name__: c for c in classes if c.__module__.split(".")[0] != "keras"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = keras.saving.serialize_keras_object(model)
            config.pop("compile_config", None)
            twin = keras.saving.deserialize_keras_object(
                _in_float32(config), custom_objects=classes, safe_mode=False
            )
    except Exception as error:  # Keras raises what the layer's constructor raises
        raise ValueError(
            f"The model '{model.name}' of class {type(model).__name__} cannot be "
            "re-created from its configuration; each custom class needs a "
            f"`get_config` with all its constructor arguments. ({error})"
        ) from error
    if not isinstance(twin, keras.Model) or not twin.built:
        raise ValueError(
            f"The model '{model.name}' of class {type(model).__name__} is not built "
            "when it is re-created from its configuration; write it as a functional "
            "model, or define `get_config` and `build_from_config`."
        )
    return twin


def _copy_weights(model, twin):
    shapes = [tuple(weight.shape) for weight in model.weights]
    twin_shapes = [tuple(weight.shape) for weight in twin.weights]
    if shapes != twin_shapes:
        raise ValueError(
            f"The model '{model.name}' of class {type(model).__name__} has other "
            "weights when it is re-created from its configuration; create all weights "
            f"in `__init__` or `build`. Received: {len(shapes)} weights {shapes}, "
            f"re-created: {len(twin_shapes)} weights {twin_shapes}"
        )
    twin.set_weights(
        [
            weight.astype("float32") if _float_like(weight) else weight
            for weight in model.get_weights()
        ]
    )


def _float_like(array):
    return array.dtype.name in _FLOATS
