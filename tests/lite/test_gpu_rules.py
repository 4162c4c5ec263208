import keras
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq import export
from kerasseq.lite import gpu_rules


class TestBasics:
    def test_names_are_builtins(self):
        assert set(gpu_rules.OPS) <= set(vars(schema.BuiltinOperator))
        assert list(gpu_rules.OPS) == sorted(set(gpu_rules.OPS))

    @pytest.mark.parametrize(
        "name",
        "WHILE SHAPE ARG_MAX TOPK_V2 FILL RANGE REVERSE_V2 EMBEDDING_LOOKUP "
        "UNIDIRECTIONAL_SEQUENCE_LSTM DYNAMIC_UPDATE_SLICE CUSTOM".split(),
    )
    def test_known_gaps(self, name):
        assert name not in gpu_rules.OPS

    def test_refused(self):
        operators = [
            ("WHILE", [()]),
            ("ADD", [(1, 8), (8,)]),
            ("MEAN", [(1, 4, 4, 2, 8), (3,)]),
            ("FlexCumprod", [(1, 8)]),
            ("WHILE", [()]),
            ("MUL", [(1, 2, 3, 4)]),
        ]
        assert gpu_rules.refused_ops(operators) == ["FlexCumprod", "MEAN", "WHILE"]
        assert gpu_rules.refused_ops([]) == []


@pytest.mark.parametrize(
    "name, inputs, outputs, reason",
    [
        ("CAST", ["UINT8"], ["FLOAT32"], "a tensor of type UINT8"),
        ("CAST", ["INT32"], ["FLOAT32"], None),
        ("LESS", ["FLOAT32"], ["BOOL"], None),
        ("LESS", ["INT32"], ["BOOL"], "a tensor of type INT32"),
        ("SELECT", ["BOOL", "FLOAT32"], ["FLOAT32"], None),
        ("RESHAPE", ["BOOL"], ["BOOL"], "a tensor of type BOOL"),
        ("ADD", ["INT8"], ["INT8"], None),
        ("WHILE", ["FLOAT32"], ["FLOAT32"], "not in the delegate's list"),
    ],
)
def test_refusal(name, inputs, outputs, reason):
    assert gpu_rules.refusal(name, [(1, 8)], inputs, outputs) == reason
    assert "5 axes" in gpu_rules.refusal("ADD", [(1,) * 5], ["FLOAT32"])


def test_group_normalization_has_five_axes(tmp_path):
    layers = [keras.Input((8, 8, 16)), keras.layers.GroupNormalization(4)]
    report = export.export_model(keras.Sequential(layers), tmp_path)
    found = report["artifacts"][0]["gpu_refused_ops"]
    assert {"MEAN", "RESHAPE"} <= set(found) <= set(gpu_rules.OPS)
