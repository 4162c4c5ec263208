"""Copies the arrays of a Keras 2 file into the layers they belong to, bit by bit."""

import re
import typing
from collections.abc import Mapping, Sequence

import h5py
import keras
import numpy as np

from kerasseq.convert.keras2 import cudnn, model_builder, other_backends
from kerasseq.convert.keras2 import source as files

_SHARED = (
    "Keras 2 does not write layers that two nested models share to a `.keras` file; "
    "build the model without such layers there."
)


class Pair(typing.NamedTuple):
    """An array of the file, the variable it goes to, and the name of the layer.

    `reorder` turns an array in another layout into the value of the variable.
    """

    name: str
    array: h5py.Dataset
    variable: typing.Any
    reorder: typing.Callable | None = None


def load(
    source: files.Source,
    model: keras.Model,
    children: Mapping[int, Sequence[model_builder.Child]],
) -> None:
    """Loads all weights.

    Args:
        source: The open file, a `files.Source`.
        model: The model to load into.
        children: Layers of each model, from `ModelBuilder.children`.

    Raises:
        ValueError: If a weight is missing, superfluous, or of another shape. Unless
            raised, all weights have the values of the file.
    """
    read = _pairs_of_h5 if source.kind == "h5" else _pairs_of_keras
    try:
        pairs = read(source.weights, model, children)
    except (OSError, KeyError, RuntimeError, TypeError) as error:  # those of HDF5
        raise ValueError(f"The weights in the file are damaged ({error}).") from error
    files.check_stored(pair.array for pair in pairs)
    shapes = {id(pair.variable): pair.array.shape for pair in pairs}
    for weight in model.weights:
        if id(weight) not in shapes:
            raise ValueError(f"The file lacks the weight '{weight.path}'. {_SHARED}")
    reorder = dict(cudnn.functions(model, shapes))
    reorder |= other_backends.kernel_functions(model, source.backend, shapes)
    pairs = [pair._replace(reorder=reorder.get(id(pair.variable))) for pair in pairs]
    values = [_assign(pair) for pair in pairs]
    for pair, value in zip(pairs, values, strict=True):
        if pair.variable.numpy().tobytes() != value.tobytes():
            raise ValueError(
                f"The file has two different values for a weight of '{pair.name}'."
            )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _assign(pair):
    name, array, variable, reorder = pair
    if reorder is None and tuple(array.shape) != tuple(variable.shape):
        raise ValueError(
            f"A weight of layer '{name}' has another shape than '{variable.path}', "
            f"which is {tuple(variable.shape)}. Received: {array.name} of shape "
            f"{array.shape}"
        )
    try:
        value = array[()]
    except OSError as error:
        raise ValueError(
            f"The file is damaged: '{array.name}' cannot be read ({error})."
        ) from error
    value = np.asarray(value) if reorder is None else reorder(value)
    exact = value.astype(variable.dtype)
    if not np.array_equal(exact, value, equal_nan=value.dtype.kind == "f"):
        raise ValueError(
            f"A weight of layer '{name}' loses precision as {variable.dtype}. "
            f"Received: {array.name} of type {value.dtype}"
        )
    variable.assign(exact)
    return exact


# Format .h5: one group per layer of the outermost model, with a flat list of all arrays
# in it, trainable ones first.


def _pairs_of_h5(group, model, children):
    stored = {name: _arrays(group, name) for name in _attribute(group, "layer_names")}
    stored = {name: arrays for name, arrays in stored.items() if arrays}
    pairs = []
    for child in children[id(model)]:
        variables = _in_old_order(child.layer, children)
        arrays = stored.pop(child.name, [])
        if len(arrays) != len(variables):
            raise ValueError(
                f"Layer '{child.name}' has {len(variables)} weights. Received: "
                f"{len(arrays)} in the file"
            )
        _check_order(child.name, arrays, variables)
        pairs += [Pair(child.name, *p) for p in zip(arrays, variables, strict=True)]
    if stored:
        raise ValueError(f"No layer has these weights: {', '.join(stored)}")
    return pairs


def _arrays(group, name):
    layer = files.member(group, name, h5py.Group)
    names = _attribute(layer, "weight_names")
    return [files.member(layer, name, h5py.Dataset) for name in names]


def _attribute(group, name):
    """A list of names; Keras splits one that is too long for HDF5."""
    parts = [group.attrs[name]] if name in group.attrs else []
    while f"{name}{len(parts)}" in group.attrs:
        parts.append(group.attrs[f"{name}{len(parts)}"])
    names = [item for part in parts for item in part]
    return [n.decode("utf-8") if isinstance(n, bytes) else str(n) for n in names]


def _in_old_order(layer, children):
    """Weights in the order of Keras 2: of a model, in the order of its layers there."""
    leaves = list(dict.fromkeys(_leaves(layer, children)))
    weights = [w for leaf in leaves for w in leaf.trainable_weights]
    weights += [w for leaf in leaves for w in leaf.non_trainable_weights]
    return list({id(weight): weight for weight in weights}.values())


def _leaves(layer, children):
    wrapped = getattr(layer, "layer", None)
    if id(layer) in children:
        for child in children[id(layer)]:
            yield from _leaves(child.layer, children)
    elif id(wrapped) in children:
        yield from _leaves(wrapped, children)
    else:
        yield layer


def _check_order(name, arrays, variables):
    old = [array.name.split("/")[-1].split(":")[0] for array in arrays]
    new = [variable.name for variable in variables]
    if old != new and sorted(old) == sorted(new):
        raise ValueError(
            f"The weights of layer '{name}' are not in the order of Keras 3, "
            f"{new}. Received: {old}"
        )


# Format .keras: groups follow the attributes of objects; items of a list are numbered
# within their class.


def _pairs_of_keras(group, model, children):
    pairs, visited = [], set()

    def walk(group, layer, name):
        if id(layer) in visited or group is None:
            return
        visited.add(id(layer))
        if id(layer) in children:
            folder = next((f for f in _FOLDERS if f in group), None)
            items = [(c.class_name, c.name, c.layer) for c in children[id(layer)]]
            walk_list(folder and _subgroup(group, folder), items, name)
            return
        pairs.extend(_own_pairs(group, layer, name))
        for key in group:
            value = None if key == "vars" else getattr(layer, key, None)
            if isinstance(value, keras.layers.Layer):
                walk(_subgroup(group, key), value, f"{name}/{key}")
            elif isinstance(value, (list, tuple)):
                items = [(type(item).__name__, key, item) for item in value]
                walk_list(_subgroup(group, key), items, name)

    def walk_list(group, items, path):
        items = [item for item in items if id(item[2]) not in visited]
        for class_name in dict.fromkeys(item[0] for item in items):
            same = [item for item in items if item[0] == class_name]
            keys = [] if group is None else _keys_of_class(group, class_name)
            if len(keys) != len(same) and any(layer.weights for *_, layer in same):
                raise ValueError(
                    f"There are {len(same)} layers of class {class_name} in "
                    f"'{path}'. Received: {len(keys)} in the file. {_SHARED}"
                )
            for key, (_, name, layer) in zip(keys, same, strict=False):
                walk(_subgroup(group, key), layer, f"{path}/{name}")

    walk(group, model, model.name)
    return pairs


_FOLDERS = ("layers", "_layer_checkpoint_dependencies")


def _keys_of_class(group, class_name):
    """Groups such as `dense`, `dense_1` .. in their order; numbers may be left out."""
    stem = _snake_case(class_name.split(">")[-1])
    found = {key: re.fullmatch(rf"{stem}(?:_(\d+))?", key) for key in group}
    numbers = {key: int(match[1] or 0) for key, match in found.items() if match}
    return sorted(numbers, key=numbers.get)


def _subgroup(group, name):
    return files.member(group, name, h5py.Group) if name in group else None


def _own_pairs(group, layer, name):
    """The weights of the layer itself, without those of layers in it."""
    inner = layer._flatten_layers(include_self=False)
    inner = {id(weight) for other in inner for weight in other.weights}
    own = [weight for weight in layer.weights if id(weight) not in inner]
    arrays = []
    if "vars" in group:
        stored = files.member(group, "vars", h5py.Group)
        keys = sorted(stored, key=int)
        arrays = [files.member(stored, key, h5py.Dataset) for key in keys]
    if len(arrays) != len(own):
        raise ValueError(
            f"Layer '{name}' has {len(own)} weights. Received: {len(arrays)} in the "
            "file"
        )
    return [Pair(name, *pair) for pair in zip(arrays, own, strict=True)]


def _snake_case(name):
    """A class name in snake case, as `to_snake_case` of Keras 2 writes it."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    name = re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
    return f"private{name}" if name.startswith("_") else name
