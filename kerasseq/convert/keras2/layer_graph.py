"""Repeats the calls between layers that a functional model of Keras 2 lists."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import keras

from kerasseq.convert.keras2 import tf_ops
from kerasseq.convert.keras2.lambda_layers import LambdaFunction
from kerasseq.convert.keras2.masks import Masks

_CONSTANT = "_CONSTANT_VALUE"
_ATTENTION = (keras.layers.Attention, keras.layers.AdditiveAttention)


class LayerGraph:
    """Calls layers on symbolic tensors, in an order in which all inputs exist.

    A call is listed as nested lists and dicts of references `[layer name, number of
    the call of that layer, number of its output]`, each with the other arguments of the
    call as a fourth item.

    Args:
        nested: Whether the model is part of another, so that its inputs may have masks.
    """

    def __init__(self, nested: bool) -> None:
        self._masks = Masks(nested)
        # name of an old operation -> new operations
        self._named: dict[str, list] = {}
        # (layer name, number of the call) -> flat list of tensors
        self._outputs: dict[tuple[str, int], list] = {}
        # layer name -> (function of a call, its remaining calls)
        self._waiting: dict[str, tuple[Callable, list]] = {}
        self._count: dict[str, int] = {}

    def add_input(self, name: str, tensor: keras.KerasTensor) -> None:
        """Adds an input of the model."""
        self._outputs[name, 0] = [tensor]

    def add_layer(
        self,
        name: str,
        layer: keras.layers.Layer,
        calls: Iterable,
        has_own_node: bool,
    ) -> None:
        """Adds a layer and its calls; with `has_own_node` they count from 1."""
        self._count[name] = int(has_own_node)
        self._waiting[name] = lambda call: self._call_layer(layer, call), list(calls)

    def add_operation(self, name: str, function: str, calls: Iterable) -> None:
        """Adds an operation of TensorFlow and its calls."""
        self._count[name] = 0
        self._waiting[name] = (
            lambda call: self._call_operation(name, function, call),
            list(calls),
        )

    def add_function(
        self, name: str, function: LambdaFunction, calls: Iterable
    ) -> None:
        """Adds what a `Lambda` computes, and its calls."""
        self._count[name] = 0
        self._waiting[name] = (
            lambda call: self._call_function(
                function, _without_list_of_one(self._resolve(call))
            ),
            list(calls),
        )

    def call_all(self) -> None:
        """Makes all calls.

        Raises:
            ValueError: If the inputs of some are missing.
        """
        waiting = dict(self._waiting)
        while waiting:
            made = sum(self._call_ready(name, *waiting[name]) for name in waiting)
            waiting = {name: entry for name, entry in waiting.items() if entry[1]}
            if waiting and not made:
                raise ValueError(
                    "Some layers have inputs that the file does not hold. Received: "
                    f"{', '.join(waiting)}"
                )

    def chain(
        self, stack: Iterable[Callable[..., Any]], tensor: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Calls layers and functions one after another."""
        for part in stack:
            self._outputs[str(len(self._outputs)), 0] = [tensor]
            if isinstance(part, LambdaFunction):
                tensor = self._call_function(part, tensor)
            else:
                tensor = self._masks.call(part, tensor, {})
        return tensor

    def take(self, structure: Any) -> Any:
        """Returns the tensors that a structure of references names.

        Args:
            structure: A reference, or nested lists and dicts of them.

        Returns:
            The same structure of tensors; a list of one is its item, as in Keras 2.
        """
        tensors = self._resolve(structure)
        return _without_list_of_one(tensors)

    def _call_ready(self, name, function, calls):
        made = 0
        while calls:
            try:
                outputs = function(calls[0])
            except _Missing:
                break
            except Exception as error:  # Keras raises what a layer raises
                raise ImportRefused(
                    f"Layer '{name}' cannot be called as in the file: {error}"
                ) from error
            calls.pop(0)
            self._outputs[name, self._count[name]] = keras.tree.flatten(outputs)
            self._count[name] += 1
            made += 1
        return made

    def _call_layer(self, layer, call):
        inputs = _without_list_of_one(self._resolve(call))
        kwargs = self._resolve(_arguments(call))
        if isinstance(inputs, list) and _takes_states(layer):
            # Keras 2 appends the states to the input. With states given, Keras 3 does
            # not pass the mask on by itself.
            inputs, kwargs["initial_state"] = inputs[0], inputs[1:]
            kwargs.setdefault("mask", getattr(inputs, "_keras_mask", None))
        known = inspect.signature(layer.call).parameters
        for key in [key for key, value in kwargs.items() if value is None]:
            if key not in known:
                del kwargs[key]
        if isinstance(layer, _ATTENTION) and len(inputs[0].shape) < 3:
            raise ValueError("Keras 3 attends to tensors of 3 axes or more")
        return self._masks.call(layer, inputs, kwargs)

    def _call_function(self, function, inputs):
        outputs = function(inputs)
        self._name_operations(function.name, keras.tree.flatten(outputs))
        return outputs

    def _call_operation(self, name, symbol, call):
        function = tf_ops.find(symbol)
        if function is None:
            raise ValueError(f"`tf.{symbol}` has no counterpart in Keras 3")
        arguments = self._resolve(_arguments(call))
        inputs = self._resolve(call)
        outputs = tf_ops.call(symbol, function, [inputs], arguments)
        self._name_operations(name, keras.tree.flatten(outputs))
        return outputs

    def _name_operations(self, name, outputs):
        """Names new operations after the old one: names are unique in the file."""
        known = {id(t) for tensors in self._outputs.values() for t in tensors}
        pending, named = list(outputs), self._named.setdefault(name, [])
        while pending:
            tensor = pending.pop(0)
            if not isinstance(tensor, keras.KerasTensor):
                continue  # a size, see `tf_shapes`
            operation = tensor._keras_history.operation
            if id(tensor) not in known and operation not in named:
                named.append(operation)
                operation.name = f"{name}.{len(named)}" if len(named) > 1 else name
                pending += keras.tree.flatten(operation.input)

    def _resolve(self, value):
        if _is_reference(value):
            name, index, number = value[:3]
            if name == _CONSTANT:
                return number
            if (name, index) not in self._outputs:
                raise _Missing
            return self._outputs[name, index][number]
        if isinstance(value, list):
            return [self._resolve(item) for item in value]
        if isinstance(value, dict):
            return {key: self._resolve(item) for key, item in value.items()}
        return value


class ImportRefused(ValueError):
    """Names the layer that cannot be imported."""


class _Missing(Exception):
    """An input of a call is not computed yet."""


def _is_reference(value):
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )


def _arguments(call):
    """The arguments of a call beside the first; every reference in it repeats them."""
    if _is_reference(call):
        return dict(call[3]) if len(call) == 4 else {}
    items = call.values() if isinstance(call, dict) else call
    return next((_arguments(item) for item in items), {})


def _takes_states(layer):
    return isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional))


def _without_list_of_one(value):
    return value[0] if isinstance(value, list) and len(value) == 1 else value
