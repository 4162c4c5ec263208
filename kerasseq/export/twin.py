"""The portable twin: the same model in float32, with recurrent layers of kerasseq."""

import keras

from kerasseq.convert import class_mapping, cloning, output_comparison

_POLICIES = ("DTypePolicy", "FloatDTypePolicy", "DTypePolicyMap")
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_FLOAT32_POLICY = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
}


def portable_twin(model: keras.Model, compare: bool = True) -> keras.Model:
    """Re-creates a model so that it can be exported anywhere.

    The twin comes from the configuration of the model, with every floating-point
    dtype policy set to float32 and the recurrent layers of kerasseq for stock ones,
    also inside wrappers and nested models; one that a class creates in its own code
    stays stock, with `use_cudnn=False`. Weights are copies, and the model itself is not
    touched.

    Args:
        model: A built `keras.Model`: Functional, Sequential, or a subclass with a
            complete `get_config`.
        compare: Whether both are compared on random inputs.

    Returns:
        A new, uncompiled model of the same class.

    Raises:
        ValueError: If the model is not built, is quantized, holds a stateful layer,
            cannot be re-created, or returns other outputs when it is.

    Example:

    ```python
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([keras.Input((24, 3)), keras.layers.LSTM(8)])
    twin.portable_twin(model).compute_dtype  # "float32"
    ```
    """
    cloning.check_model(model, "exported")
    _check_not_quantized(model)
    twin = cloning.recreate(model, _portable)
    if compare:
        output_comparison.check(model, twin)
    for layer in cloning.all_layers(twin):
        if isinstance(layer, (keras.layers.LSTM, keras.layers.GRU)):
            layer.use_cudnn = False
    return twin


def _portable(config):
    return class_mapping.with_kerasseq(_in_float32(config))


def _check_not_quantized(model):
    for layer in cloning.all_layers(model):
        if getattr(layer, "quantization_mode", None):
            raise ValueError(
                "A quantized model has no float32 twin; export the model it was made "
                f"from. Received: layer '{layer.name}' of class {type(layer).__name__}"
                f" with quantization_mode={layer.quantization_mode!r}"
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
