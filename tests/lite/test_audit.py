import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq import lite
from kerasseq.lite import audit
from tests.export.rewriting import rewrite


class TestBasics:
    def test_exported_file(self, exported):
        path = exported[1] / "model.tflite"
        result = audit.audit_file(path)
        assert result["ops"]["ARG_MAX"] == 1
        assert sorted(result["signatures"]) == ["count", "serve"]
        assert result["subgraphs"] == 2 + 2 * result["ops"]["WHILE"]
        assert result["bytes"] == path.stat().st_size
        assert not result["dynamic_shapes"]
        assert result["flex_ops"] == result["custom_ops"] == []
        assert {"ARG_MAX", "WHILE"} <= set(result["gpu_refused_ops"])

    def test_weights_are_stored_once(self, exported):
        content = (exported[1] / "model.tflite").read_bytes()
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
        sizes = [0 if b.data is None else len(b.data) for b in model.buffers]
        assert sizes.count(64 * 64 * 4) == 1

    def test_foreign_ops_and_dynamic_shapes(self, exported, tmp_path):
        def change(model):
            for code, name in zip(
                model.operatorCodes, (b"FlexCumprod", b"MyOp"), strict=False
            ):
                code.builtinCode = schema.BuiltinOperator.CUSTOM
                code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
                code.customCode = name
            model.subgraphs[0].tensors[0].shapeSignature = [-1, 6, 4]

        path = rewrite(exported[1] / "model.tflite", tmp_path / "a.tflite", change)
        result = audit.audit_file(path)
        assert result["flex_ops"] == ["FlexCumprod"]
        assert result["custom_ops"] == ["MyOp"]
        assert {"FlexCumprod", "MyOp"} <= set(result["gpu_refused_ops"])
        assert result["dynamic_shapes"] is True
        with pytest.raises(ValueError, match="does not load this file"):
            lite.Runner(path)


class TestErrors:
    def test_no_model(self, tmp_path):
        (tmp_path / "a.tflite").write_bytes(b"no model, but some bytes of text")
        with pytest.raises(ValueError, match="not a TFLite model"):
            audit.audit_file(tmp_path / "a.tflite")
