import keras
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq import export
from kerasseq.export import gpu_delegate


class TestBasics:
    def test_names_are_builtins(self):
        assert set(gpu_delegate.OPS) <= set(vars(schema.BuiltinOperator))
        assert list(gpu_delegate.OPS) == sorted(set(gpu_delegate.OPS))

    @pytest.mark.parametrize(
        "name",
        "WHILE SHAPE ARG_MAX TOPK_V2 FILL RANGE REVERSE_V2 EMBEDDING_LOOKUP "
        "UNIDIRECTIONAL_SEQUENCE_LSTM DYNAMIC_UPDATE_SLICE CUSTOM".split(),
    )
    def test_known_gaps(self, name):
        assert name not in gpu_delegate.OPS

    def test_refused(self):
        operators = [
            ("WHILE", [()]),
            ("ADD", [(1, 8), (8,)]),
            ("MEAN", [(1, 4, 4, 2, 8), (3,)]),
            ("FlexCumprod", [(1, 8)]),
            ("WHILE", [()]),
            ("MUL", [(1, 2, 3, 4)]),
        ]
        assert gpu_delegate.refused(operators) == ["FlexCumprod", "MEAN", "WHILE"]
        assert gpu_delegate.refused([]) == []


def test_group_normalization_has_five_axes(tmp_path):
    layers = [keras.Input((8, 8, 16)), keras.layers.GroupNormalization(4)]
    report = export.export_model(keras.Sequential(layers), tmp_path)
    found = report["artefacts"][0]["gpu_refused_ops"]
    assert {"MEAN", "RESHAPE"} <= set(found) <= set(gpu_delegate.OPS)
