"""The layer that a node's name stands for."""

import pytest

from kerasseq.export import layer_nodes

LAYERS = ["functional", "dense", "dense_1", "lstm"]


@pytest.mark.parametrize(
    "nodes, expected",
    [
        (["f/dense/MatMul", "f/dense_1/MatMul"], ["dense", "dense_1"]),
        (["f/dense_1/MatMul", "f/dense_1_2/MatMul"], ["dense", "dense_1"]),
        (
            ["f/dense_1/Relu;f/dense_1/MatMul", "f/lstm_1/while/Add"],
            ["dense_1", "lstm"],
        ),
        (["StatefulPartitionedCall:0", "functional_1/x"], [None, "functional"]),
    ],
)
def test_layer_of(nodes, expected):
    names = layer_nodes.LayerNames(LAYERS, nodes)
    assert [names.layer_of(node) for node in nodes] == expected
