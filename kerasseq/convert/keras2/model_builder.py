"""Builds Keras 3 layers and models from the configuration of a Keras 2 model.

Nothing is translated node by node: the calls that the configuration lists are repeated
on symbolic tensors, and Keras 3 records them in its own format.
"""

import re
import typing
from collections.abc import Mapping
from typing import Any

import keras

from kerasseq.convert.keras2 import layer_config, masks, tf_ops
from kerasseq.convert.keras2.lambda_layers import LambdaFunction
from kerasseq.convert.keras2.layer_graph import ImportRefused, LayerGraph

MODELS = ("Functional", "Model", "Sequential")


class Child(typing.NamedTuple):
    """A layer and what the file calls it.

    Attributes:
        name: Its name in the file.
        class_name: Its class in Keras 2.
        layer: The Keras 3 layer.
    """

    name: str
    class_name: str
    layer: keras.layers.Layer


class ModelBuilder:
    """Builds a model, and records what each layer of the file became.

    Attributes:
        children: `{id of a model: list of Child}`, in the order of the file.
        rows: The report: one dict per layer, without the number of weights.
    """

    def __init__(
        self,
        custom_objects: Mapping[str, Any],
        shares_by_id: bool,
        version: str | None,
        layer_classes: Mapping[str, type],
    ) -> None:
        self.children: dict[int, list[Child]] = {}
        self.rows: list[dict[str, Any]] = []
        self._custom_objects = custom_objects
        self._shares_by_id = shares_by_id
        self._version = version
        self._layer_classes = layer_classes
        self._shared: dict[int, keras.layers.Layer] = {}

    def build(self, node: Mapping[str, Any], path: str = "") -> keras.layers.Layer:
        """Builds the layer or model that `node` describes.

        Args:
            node: A serialized layer or model.
            path: Names of the models it is in, each with a slash at the end.

        Returns:
            A Keras layer.

        Raises:
            ValueError: If it cannot be imported; the message names it.
        """
        identity = node.get("shared_object_id") if self._shares_by_id else None
        if identity is None or identity not in self._shared:
            layer = self._build(node, path)
            if identity is None:
                return layer
            self._shared[identity] = layer
        return self._shared[identity]

    def _build(self, node, path):
        name = node["config"].get("name")
        try:
            if is_model(node):
                return self._build_model(node, path)
            return self._build_layer(node, path)
        except ImportRefused:
            raise
        except Exception as error:  # Keras raises what a constructor raises
            raise ImportRefused(
                f"Layer '{path}{name}' of class {node['class_name']} cannot be "
                f"imported: {first_line(error)}"
            ) from error

    def _build_layer(self, node, path):
        layer_class = self._layer_classes.get(f"{path}{node['config'].get('name')}")
        if layer_class is None:
            layer_class, reason = layer_config.find_class(node, self._custom_objects)
            if reason:
                raise ValueError(reason)
        elif node["class_name"] == "Lambda":
            node = node | {"config": _without_code(node["config"])}
        config, changes = layer_config.rewrite(node, layer_class, self._version)
        row = self._row(node, path, layer_class.__name__, changes)
        with_layers = False
        for key in layer_config.SUBLAYERS:
            if key in config and _is_layer(config[key]):
                with_layers = True
                config[key] = self._sublayers(config[key], row["name"] + "/")
        with keras.saving.CustomObjectScope(self._custom_objects):
            if with_layers:
                layer = layer_class(**config)
            else:
                layer = layer_class.from_config(config)
        row["layer"] = layer
        return layer

    def _sublayers(self, value, path):
        if isinstance(value, list):
            return [self.build(node, path) for node in value]
        return self.build(value, path)

    def _build_model(self, node, path):
        kind, config = node["class_name"], node["config"]
        row = self._row(node, path, "Sequential" if kind == "Sequential" else "Model")
        inner = f"{path}{config['name']}/" if path or self.rows[0] is not row else ""
        if kind == "Sequential":
            model, children = self._build_sequential(config, inner)
        else:
            model, children = self._build_functional(config, inner)
        if config.get("trainable") is False:
            model.trainable = False
        self.children[id(model)] = children
        row["layer"] = model
        return model

    def _build_sequential(self, config, path):
        nodes = list(config["layers"])
        shape = nodes[0]["config"].get("batch_input_shape") if nodes else None
        first = make_input(nodes[0]) if shape is not None else None
        if nodes and nodes[0]["class_name"] == "InputLayer":
            self._row(nodes.pop(0), path, "InputLayer", ["batch_shape"])
        stack, children = self._build_stack(nodes, path)
        functional = any(isinstance(part, LambdaFunction) for part in stack)
        if path or masks.begin_in(stack):
            functional = functional or masks.end_in(stack)
        if functional and first is not None:
            graph = LayerGraph(nested=bool(path))
            model = keras.Model(first, graph.chain(stack, first), name=config["name"])
            return model, children
        inputs = [] if first is None else [first]
        model = keras.Sequential([*inputs, *stack], name=config["name"])
        if not model.built and config.get("build_input_shape"):
            model.build(config["build_input_shape"])
        return model, children

    def _build_stack(self, nodes, path):
        """Layers and functions one after another, and the layers among them."""
        stack, children = [], []
        for node in nodes:
            if self._computes(node, path):
                stack.append(LambdaFunction(node["config"]))
                self._row(node, path, "operations of keras.ops")
            else:
                children.append(_child(node, self.build(node, path)))
                stack.append(children[-1].layer)
        return stack, children

    def _computes(self, node, path):
        """Whether a layer is a `Lambda` that no class stands for."""
        name = f"{path}{node['config'].get('name')}"
        return node["class_name"] == "Lambda" and name not in self._layer_classes

    def _build_functional(self, config, path):
        graph, children = LayerGraph(nested=bool(path)), []
        for node in config["layers"]:
            name, nodes = node["name"], node["inbound_nodes"]
            if node["class_name"] == "InputLayer":
                graph.add_input(name, make_input(node))
                self._row(node, path, "InputLayer", ["batch_shape"])
            elif node["class_name"] in tf_ops.CLASSES:
                graph.add_operation(name, node["config"]["function"], nodes)
                self._row(node, path, "operation of keras.ops")
            elif self._computes(node, path):
                graph.add_function(name, LambdaFunction(node["config"]), nodes)
                self._row(node, path, "operations of keras.ops")
            else:
                layer = self.build(node, path)
                children.append(_child(node, layer))
                graph.add_layer(name, layer, nodes, has_own_node(node))
        graph.call_all()
        inputs = graph.take(config["input_layers"])
        outputs = graph.take(config["output_layers"])
        return keras.Model(inputs, outputs, name=config["name"]), children

    def _row(self, node, path, new_class, changes=()):
        row = {
            "name": f"{path}{node['config'].get('name')}",
            "old_class": node["class_name"],
            "new_class": new_class,
            "changes": list(changes),
        }
        self.rows.append(row)
        return row


def _without_code(config):
    """The arguments for the class that stands for a `Lambda`."""
    kept = ("name", "trainable", "dtype")
    kept_config = {key: config[key] for key in kept if key in config}
    return kept_config | (config.get("arguments") or {})


def _child(node, layer):
    return Child(node["config"].get("name"), node["class_name"], layer)


def first_line(error: Exception) -> str:
    """What an exception of Keras says, without the configuration and the advice."""
    text = str(error).rpartition("Exception encountered: ")[2].strip()
    bold = re.search(r"\x1b\[1m(.+?)\x1b\[0m", text, re.DOTALL)
    lines = (bold[1] if bold else text).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def is_model(node: Mapping[str, Any]) -> bool:
    """Whether a node is a model that lists its layers."""
    return node["class_name"] in MODELS and "layers" in node["config"]


def has_own_node(node: Mapping[str, Any]) -> bool:
    """Whether Keras 2 counts a call when the layer is created, as for models alone."""
    if not is_model(node):
        return False
    if node["class_name"] != "Sequential":
        return True
    layers = node["config"]["layers"]
    return bool(layers) and "batch_input_shape" in layers[0]["config"]


def make_input(node: Mapping[str, Any]) -> keras.KerasTensor:
    """Creates the input tensor of an input layer, or of the first layer of a stack."""
    config = node["config"]
    if config.get("ragged"):
        raise ValueError(f"Keras 3 has no ragged inputs: '{config.get('name')}'")
    is_input = node["class_name"] == "InputLayer"
    dtype = config.get("dtype")
    return keras.Input(
        batch_shape=config.get("batch_input_shape") or config["batch_shape"],
        dtype=dtype if isinstance(dtype, str) else None,
        sparse=config.get("sparse") or None if is_input else None,
        name=config["name"].replace("/", "_") if is_input else None,
        optional=bool(config.get("optional")),
    )


def _is_layer(value):
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and "class_name" in first
