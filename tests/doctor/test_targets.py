import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq.doctor import gpu_cut, graphs
from tests.doctor.examined import changed, examine, said


def _tensor(index, constant=False):
    return graphs.Tensor(index, "", (1, 4), "FLOAT32", index, 8 * constant, False)


class TestGpu:
    def test_healthy(self, files):
        result = examine(files["float32"], "gpu")
        assert result["status"] == "healthy"
        cut = result["gpu"]["entries"]["serve"]
        assert cut["gpu_ops"] == cut["ops"] and len(cut["pieces"]) == 1
        assert examine(files["float16"], "gpu")["status"] == "healthy"

    def test_refused(self, files):
        result = examine(files["loop"], "gpu")
        assert result["status"] == "unhealthy"
        refused = {f["where"]: f for f in result["findings"] if "leaves" in f["what"]}
        assert "`step`" in refused["WHILE x1"]["do"]
        assert "in the app" in refused["TOPK_V2 x1"]["do"]
        assert said(result, "None of the 2 ops")["where"] == "signature 'serve'"
        assert examine(files["loop"])["status"] == "healthy"

    def test_cut(self):
        x, y, z, weight = (_tensor(index, index == 3) for index in range(4))
        ops = [
            graphs.Op("DEQUANTIZE", (weight,), (z,)),
            graphs.Op("ADD", (x, z), (y,)),
            graphs.Op("REVERSE_V2", (y,), (_tensor(4),)),
            graphs.Op("MUL", (y,), (_tensor(5),)),
            graphs.Op("SUB", (_tensor(4), _tensor(5)), (_tensor(6),)),
        ]
        graph = graphs.Graph("main", (), tuple(ops), (x,), (_tensor(6),))
        expected = [(True, ["ADD", "MUL"]), (False, ["REVERSE_V2"]), (True, ["SUB"])]
        assert gpu_cut.pieces(graph) == expected

    @pytest.mark.parametrize(
        "dtype, severity", [("INT32", "error"), ("FLOAT32", None), ("UINT8", None)]
    )
    def test_types(self, files, tmp_path, dtype, severity):
        def change(model):
            for tensor in model.subgraphs[0].tensors:
                tensor.type = getattr(schema.TensorType, dtype)

        result = examine(changed(files, tmp_path, change), "gpu")
        reason = f"type {dtype}"
        found = [f["severity"] for f in result["findings"] if reason in f["what"]]
        assert found == ([severity] if severity else [])

    def test_five_axes(self, files, tmp_path):
        def change(model):
            for tensor in model.subgraphs[0].tensors:
                if len(tensor.shape) == 4:
                    tensor.shape = [1, *tensor.shape]

        result = examine(changed(files, tmp_path, change), "gpu")
        assert "Merge axes" in said(result, "with 5 axes")["do"]

    def test_batch(self, files):
        assert said(examine(files["batch"], "gpu"), "batch is not fixed")


class TestInt8:
    def test_states(self, files):
        assert examine(files["full_int8"], "int8")["findings"] == []
        result = examine(files["int8"], "int8")
        assert result["status"] == "healthy"
        assert said(result, "are float32")["where"] == "x, y"
        for name in ("float32", "float16", "dynamic"):
            result = examine(files[name], "int8")
            assert result["status"] == "unhealthy"
            assert name in said(result, "computes in float")["what"]

    def test_hybrid_is_named_on_cpu(self, files):
        result = examine(files["dynamic"])
        assert "FULLY_CONNECTED" in said(result, "Hybrid")["where"]
