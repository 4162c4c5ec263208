"""Conversion between models of stock Keras layers and kerasseq models."""

import os
import warnings

import keras

from kerasseq.convert import class_mapping as classes
from kerasseq.convert import cloning, fusing, output_comparison
from kerasseq.layers import compiled_rnn


def from_keras(model: keras.Model) -> keras.Model:
    """Turns the recurrent layers of a Keras model into those of kerasseq.

    `SimpleRNN`, `LSTM`, `GRU` and `RNN` are replaced, in functional, sequential,
    nested and subclassed models and in wrappers like `Bidirectional`; a cell of your
    own and all other layers, such as `ConvLSTM2D`, are kept. The model is re-created
    from its configuration with copies of its weights, and its outputs on random inputs
    are compared. `model` itself is not changed.

    A compiled model comes back compiled the same way, with a new optimizer. A warning
    names recurrent layers that stay stock ones, and LSTM layers that an export cannot
    fuse because of their activation; `unfused_layers` has more about the latter.

    Args:
        model: A built `keras.Model`: Functional, Sequential, or a subclass with a
            complete `get_config`.

    Returns:
        A new model that compiles with XLA.

    Raises:
        ValueError: If the model is not built, holds a stateful layer, cannot be
            re-created, or returns something else when it is.

    Example:

    ```python
    model = kerasseq.convert.from_keras(keras.saving.load_model("tagger.keras"))
    model.compile("adam", "mse", jit_compile=True)
    ```
    """
    converted = _converted(model, classes.with_kerasseq, "from_keras")
    _warn_of_stock_layers(converted)
    _warn_of_unfused_layers(converted)
    return converted


def to_keras(model: keras.Model) -> keras.Model:
    """Turns the layers of a kerasseq model into those of stock Keras.

    A `.keras` file of the result opens where kerasseq is not installed. `SimpleRNN`,
    `IRNN`, `LSTM`, `GRU` and `RNN` have a stock class. Weights, outputs and
    compilation are kept as in `from_keras`; a model that is compiled with a loss or
    metric of kerasseq comes back uncompiled, with a warning.

    Args:
        model: A built `keras.Model`: Functional, Sequential, or a subclass with a
            complete `get_config`.

    Returns:
        A new model.

    Raises:
        ValueError: If a layer has no stock class, all such layers being named; or for
            the reasons of `from_keras`.

    Example:

    ```python
    kerasseq.convert.to_keras(model).save("tagger.keras")
    ```
    """
    converted = _converted(model, classes.with_stock, "to_keras")
    ours = [x for x in cloning.all_layers(converted) if _needs_kerasseq(type(x))]
    if ours:
        raise ValueError(
            "Some layers are created by a class of yours in its own code, where they "
            "cannot be replaced; use `keras.layers` there. Received: "
            f"{_listed(ours)}"
        )
    return converted


def _converted(model, rewrite, function):
    if isinstance(model, (str, os.PathLike)):
        raise ValueError(
            "The model must be loaded first: "
            f"`{function}(keras.saving.load_model(path))`. Received: model={model!r}"
        )
    cloning.check_model(model, "converted")
    converted = cloning.recreate(model, rewrite)
    output_comparison.check(model, converted)
    if model.compiled:
        _compile_like(model, converted, rewrite is classes.with_stock)
    return converted


def _compile_like(model, converted, stock_only):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = model.get_compile_config()
            reason = ", ".join(classes.names_of_kerasseq(config)) if stock_only else ""
            if not reason:
                with keras.saving.CustomObjectScope(cloning.local_objects(model)):
                    converted.compile_from_config(config)
    except Exception as error:  # Keras raises what a custom class or function raises
        reason = f"{type(error).__name__}: {error}"
    if not converted.compiled:
        warnings.warn(
            f"The converted model '{model.name}' is not compiled, since what the model "
            f"was compiled with cannot be re-created; compile it. ({reason})",
            stacklevel=4,
        )


def _warn_of_stock_layers(converted):
    stock = [
        layer
        for layer in cloning.all_layers(converted)
        if isinstance(layer, keras.layers.RNN)
        and not isinstance(layer, compiled_rnn.CompiledRNNMixin)
    ]
    if stock:
        warnings.warn(
            "These layers are kept as they are, since kerasseq has no layer of their "
            "class, or a class of yours creates them in its own code; use "
            f"`kerasseq.layers` there: {_listed(stock)}.",
            stacklevel=3,
        )


def _warn_of_unfused_layers(converted):
    unfused = [
        f"layer '{layer.name}' of class {type(layer).__name__}: {reason}"
        for layer in cloning.all_layers(converted)
        if (reason := fusing.unfused_activation(layer))
    ]
    if unfused:
        warnings.warn(
            "These layers are exported as a loop, since TFLite cannot fuse them: "
            f"{'; '.join(unfused)}.",
            stacklevel=3,
        )


def _needs_kerasseq(layer_class):
    modules = (base.__module__.split(".")[0] for base in layer_class.__mro__)
    return classes.PACKAGE in modules


def _listed(found):
    return ", ".join(f"layer '{x.name}' of class {type(x).__name__}" for x in found)
