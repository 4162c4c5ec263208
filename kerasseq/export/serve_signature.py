"""The default signature `serve`: the whole model on a batch of fixed size."""

from collections.abc import Mapping
from typing import Any

import keras


def default(
    model: keras.Model,
    batch_size: int = 1,
    input_shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> dict[str, tuple]:
    """The default signature: the whole model on a batch of fixed size.

    Args:
        model: A Functional or Sequential model.
        batch_size: The size of the batch.
        input_shapes: `{input name: shape}` without the batch.

    Returns:
        `{"serve": (function, specs)}` with the names of the model's inputs; outputs
        are named after the output layers, or by the keys of a dict output.

    Raises:
        ValueError: If the model's inputs are not known, or not of a fixed length.
    """
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise ValueError(
            "The inputs of a subclassed model are not known; pass "
            "`signatures=lambda model: {'serve': (function, {name: (shape, dtype)})}`."
            f" Received: model '{model.name}' of class {type(model).__name__}"
        )
    shapes = _given_shapes(inputs, input_shapes or {})
    specs = {
        tensor.name: ((batch_size, *_fixed(tensor, shapes)), tensor.dtype)
        for tensor in inputs
    }

    def function(**tensors):
        return call(model, tensors)

    return {"serve": (function, specs)}


def call(model: keras.Model, tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Calls a model with inputs by name; its outputs by name, as in the signature.

    Args:
        model: A Functional or Sequential model.
        tensors: `{input name: tensor or array}`.
    """
    return _named_outputs(model, model(call_argument(model, tensors), training=False))


def call_argument(model: keras.Model, tensors: Mapping[str, Any]) -> Any:
    """Puts inputs into the structure that a model is called with.

    Args:
        model: A Functional or Sequential model.
        tensors: `{input name: tensor or array}`.

    Returns:
        A tensor, or a list or dict of them, as the model takes it.
    """
    # Only a functional model has an input structure; a Sequential has one tensor.
    sequential = isinstance(model, keras.Sequential)
    template = model.inputs[0] if sequential else model.input
    return keras.tree.map_structure(lambda t: tensors[t.name], template)


def _given_shapes(inputs, input_shapes):
    """Shapes by input name, checked against those of the model."""
    shapes = {tensor.name: tuple(tensor.shape[1:]) for tensor in inputs}
    for name, given in input_shapes.items():
        known = shapes.get(name)
        if (
            known is None
            or len(given) != len(known)
            or any(
                size not in (None, other)
                for size, other in zip(known, given, strict=True)
            )
        ):
            raise ValueError(
                f"`input_shapes` must fit the model's inputs {shapes}, batch left out. "
                f"Received: {name}={tuple(given)}"
            )
    return shapes | {name: tuple(given) for name, given in input_shapes.items()}


def _fixed(tensor, shapes):
    shape = shapes[tensor.name]
    if None in shape:
        example = tuple(24 if size is None else size for size in shape)
        raise ValueError(
            f"Input '{tensor.name}' has a size that is not fixed, and mobile runtimes "
            f"need static shapes. Pass `input_shapes={{'{tensor.name}': {example}}}` "
            f"(--input_shape {tensor.name}={','.join(map(str, example))}), or build "
            f"the model with `keras.Input({example})`. "
            f"Received: shape={tuple(tensor.shape)}"
        )
    return shape


def _named_outputs(model, outputs):
    if isinstance(outputs, dict):
        return outputs
    tensors = keras.tree.flatten(outputs)
    names = getattr(model, "output_names", None) or [model.layers[-1].name]
    if len(set(names)) != len(tensors):
        names = [f"output_{index}" for index in range(len(tensors))]
    return dict(zip(names, tensors, strict=True))
