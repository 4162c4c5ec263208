import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq import doctor
from kerasseq.doctor import examination
from tests.doctor.examined import changed, examine, said

CUSTOM = schema.BuiltinOperator.CUSTOM


@pytest.fixture(scope="module")
def result(files):
    return examine(files["float32"], "cpu", True)


class TestBasics:
    def test_healthy(self, result):
        assert result["status"] == "healthy"
        assert result["findings"] == []
        assert result["runtime"]["loads"] and not result["runtime"]["message"]

    def test_content(self, result, files):
        assert result["bytes"] == files["float32"].stat().st_size
        assert result["ops"]["CONV_2D"] == result["ops"]["FULLY_CONNECTED"] == 1
        x = {"shape": [1, 8, 8, 3], "dtype": "float32"}
        serve = result["signatures"]["serve"]
        assert serve["inputs"] == {"x": x}
        assert serve["outputs"] == {"y": {"shape": [1, 10], "dtype": "float32"}}
        assert result["inputs"] == [{"name": "serve_x:0", **x}]
        assert sum(result["ops"].values()) == result["subgraphs"][0]["ops"]
        sizes = result["constants"]["bytes_by_op"]
        assert sizes["FULLY_CONNECTED"] >= 2560 * 4 and sizes["CONV_2D"] >= 108 * 4
        assert sum(sizes.values()) == result["constants"]["bytes"] < result["bytes"]
        assert result["min_runtime_version"] > "1"
        assert result["quantization"]["state"] == "float32"
        assert result["gpu"]["refused"] == {}

    def test_run(self, result):
        times = result["run"]["latency_ms"]["serve"]
        assert 0 < times["one_thread"] < 1e4 and 0 < times["all_threads"] < 1e4
        assert result["run"]["peak_memory_mib"] >= 0

    def test_without_signatures(self, files, tmp_path):
        def change(model):
            model.signatureDefs = []

        result = examine(changed(files, tmp_path, change), "cpu", True)
        assert "no signatures" in said(result, "no signatures")["what"]
        assert result["signatures"] == {} and len(result["inputs"]) == 1
        assert result["run"]["latency_ms"]["main"]["one_thread"] > 0

    @pytest.mark.parametrize("name", ["float16", "dynamic", "int8", "full_int8"])
    def test_quantization(self, files, name):
        result = examine(files[name])
        assert result["quantization"]["state"] == name
        assert result["status"] == "healthy"


class TestOps:
    def test_flex(self, files):
        result = examine(files["flex"])
        assert result["status"] == "unhealthy"
        assert result["flex_ops"] == ["FlexCumprod"]
        assert said(result, "Flex ops")["where"] == "FlexCumprod"
        assert not result["runtime"]["loads"]

    def test_custom(self, files, tmp_path):
        def change(model):
            model.operatorCodes[0].builtinCode = CUSTOM
            model.operatorCodes[0].deprecatedBuiltinCode = CUSTOM
            model.operatorCodes[0].customCode = b"MyOp"

        result = examine(changed(files, tmp_path, change))
        assert said(result, "Custom ops")["severity"] == "error"
        assert result["custom_ops"] == ["MyOp"]

    def test_unknown(self, files, tmp_path):
        def change(model):
            model.operatorCodes[0].builtinCode = 9999

        result = examine(changed(files, tmp_path, change))
        assert said(result, "does not know")["where"] == "UNKNOWN_9999"
        assert result["status"] == "unhealthy"

    def test_newer_version(self, files, tmp_path):
        def change(model):
            model.operatorCodes[0].version = 999

        found = said(examine(changed(files, tmp_path, change)), "does not load")
        assert "newer than the runtime" in found["do"]

    def test_none(self, files, tmp_path):
        def change(model):
            graph = model.subgraphs[0]
            graph.operators, graph.outputs = [], graph.inputs
            model.signatureDefs = []

        assert said(examine(changed(files, tmp_path, change)), "no ops")


class TestTensors:
    def test_wide(self, files, tmp_path):
        def change(model):
            graph = model.subgraphs[0]
            graph.tensors[graph.inputs[0]].type = schema.TensorType.FLOAT64
            graph.tensors[graph.outputs[0]].type = schema.TensorType.INT64

        found = said(examine(changed(files, tmp_path, change)), "64 bits")
        assert found["severity"] == "warning"
        assert "FLOAT64, INT64" in found["what"]

    def test_batch(self, files):
        result = examine(files["batch"])
        assert result["status"] == "healthy"
        assert said(result, "not fixed")["where"] == "x (None, 8, 8, 3)"
        assert result["signatures"]["serve"]["inputs"]["x"]["shape"][0] is None
        assert said(examine(files["batch"], "int8"), "not fixed")

    def test_nan_and_duplicates(self, files, tmp_path):
        def change(model):
            values = np.full(2**16, np.nan, "float32").view("uint8")
            for _ in range(2):
                model.buffers.append(schema.BufferT())
                model.buffers[-1].data = values
                tensor = schema.TensorT()
                tensor.shape, tensor.name = [2**16], b"spare"
                tensor.buffer = len(model.buffers) - 1
                model.subgraphs[0].tensors.append(tensor)

        result = examine(changed(files, tmp_path, change))
        assert said(result, "NaN")["where"] == "spare"
        assert f"{2**18} bytes" in said(result, "more than once")["what"]
        assert result["constants"]["bytes_by_op"]["no op"] == 2**19

    def test_empty(self, files, tmp_path):
        def change(model):
            model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].shape = [
                0,
                8,
                8,
                3,
            ]

        assert said(examine(changed(files, tmp_path, change)), "without elements")


class TestLimits:
    def test_endless_loop(self, files):
        result = doctor.examine(files["endless"], run=True, time_limit=6)
        assert result["status"] == "unhealthy"
        assert "not finished in 6 s" in said(result, "does not run")["what"]

    def test_memory(self, files, tmp_path):
        content = files["float32"].read_bytes()
        (tmp_path / "long.tflite").write_bytes(content + bytes(2**27))
        result = doctor.examine(
            tmp_path / "long.tflite", memory_limit=0.01, time_limit=120
        )
        assert result["status"] == "unreadable"
        assert "out of memory" in result["findings"][0]["what"]

    def test_crash(self, files, monkeypatch):
        crashing = "tests.doctor.crashing_child"
        monkeypatch.setattr(examination, "_CHILD_MODULE", crashing)
        result = examine(files["float32"], "cpu", True)
        assert result["status"] == "unhealthy" and "run" not in result
        assert "crashed (SIGSEGV)" in said(result, "does not load")["what"]

    def test_no_time(self, files, monkeypatch):
        endless = "tests.doctor.endless_child"
        monkeypatch.setattr(examination, "_CHILD_MODULE", endless)
        result = doctor.examine(files["float32"], time_limit=0.1)
        assert result["status"] == "unreadable"
        assert "`--time_limit`" in result["findings"][0]["do"]


class TestErrors:
    @pytest.mark.parametrize(
        "arguments",
        [
            {"target": "tpu"},
            {"target": None},
            {"time_limit": 0},
            {"time_limit": "8"},
            {"memory_limit": -1},
        ],
    )
    def test_arguments(self, files, arguments):
        with pytest.raises(ValueError, match="must be.*Received"):
            doctor.examine(files["float32"], **arguments)
