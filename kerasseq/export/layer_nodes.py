"""Which Keras layer an op of a converted model comes from, by its node's name."""

import re
from collections.abc import Iterable

from kerasseq.lite import flatbuffer

_SUFFIX = re.compile(r"_\d+$")


class LayerNames:
    """Finds layers in node names such as `functional_1/lstm_1/MatMul`.

    TensorFlow may append a number to the name of a layer, and Keras numbers layers too:
    whether the part `dense_1` is the layer `dense_1` or `dense` only the other nodes
    show.

    Args:
        layers: Names of the layers.
        nodes: Names of all nodes.
    """

    def __init__(self, layers: Iterable[str], nodes: Iterable[str]) -> None:
        self._layers = set(layers)
        parts = {part for node in nodes for part in _parts(node)}
        # The layers whose nodes have a number appended.
        self._numbered = {_SUFFIX.sub("", part) for part in parts if _has_number(part)}
        self._numbered &= self._layers

    def layer_of(self, node: str) -> str | None:
        """The innermost layer in a node's name, or `None`."""
        for part in reversed(_parts(node)):
            without = _SUFFIX.sub("", part)
            numbered = _has_number(part) and without in self._layers
            if numbered and (part in self._numbered or part not in self._layers):
                return without
            if part in self._layers:
                return part
        return None


def layers_of_nodes(content: bytes, layers: Iterable[str]) -> dict[str, str | None]:
    """The layer of each tensor that an op computes.

    Args:
        content: The bytes of a TFLite file with the names of its tensors.
        layers: Names of the layers.

    Returns:
        `{tensor name: layer name or None}`. The tensor of an output has the output's
        name; its layer is found by the constants that go into it, or by the layer
        before.
    """
    model = flatbuffer.tree(content)
    ops = []
    for graph in model.subgraphs:
        names = [(tensor.name or b"").decode() for tensor in graph.tensors]
        made = {i for op in graph.operators for i in op.outputs}
        for op in graph.operators:
            inputs = sorted((i for i in op.inputs if i >= 0), key=made.__contains__)
            ops += [(names[i], [names[j] for j in inputs]) for i in op.outputs]
    found = LayerNames(layers, [x for out, inputs in ops for x in (out, *inputs)])
    return {
        output: next(filter(None, map(found.layer_of, [output, *inputs])), None)
        for output, inputs in ops
    }


def _parts(node):
    # A fused op has the names of all its nodes, the one that it ends with first.
    return node.split(";")[0].split("/")


def _has_number(part):
    return _SUFFIX.search(part) is not None
