import time

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq import doctor
from kerasseq.doctor import examination, gpu_cut, graphs
from tests.export.rewriting import rewrite

PATIENT = {"time_limit": 120}  # on a machine that does much else
CUSTOM = schema.BuiltinOperator.CUSTOM


def examine(path, *arguments):
    return doctor.examine(path, *arguments, **PATIENT)


def said(result, text):
    """The one finding that says so."""
    found = [f for f in result["findings"] if text in f["what"]]
    assert len(found) == 1, result["findings"]
    assert all(found[0].values())
    return found[0]


def changed(files, tmp_path, change, name="float32"):
    return rewrite(files[name], tmp_path / "changed.tflite", change)


@pytest.fixture(scope="module")
def result(files):
    return examine(files["float32"], "cpu", True)


def _tensor(index, constant=False):
    return graphs.Tensor(index, "", (1, 4), "FLOAT32", index, 8 * constant, False)


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
        assert result["quantisation"]["state"] == "float32"
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
    def test_quantisation(self, files, name):
        result = examine(files[name])
        assert result["quantisation"]["state"] == name
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


class TestLimits:
    def test_endless_loop(self, files):
        start = time.perf_counter()
        result = doctor.examine(files["endless"], run=True, time_limit=6)
        assert time.perf_counter() - start < 8
        assert result["status"] == "unhealthy"
        assert "not finished in 6 s" in said(result, "does not run")["what"]

    def test_memory(self, files):
        result = doctor.examine(files["float32"], memory_limit=0.01, time_limit=120)
        assert result["status"] != "healthy"

    def test_crash(self, files, monkeypatch):
        crashing = "tests.doctor.crashing_child"
        monkeypatch.setattr(examination, "_CHILD_MODULE", crashing)
        result = examine(files["float32"], "cpu", True)
        assert result["status"] == "unhealthy" and "run" not in result
        assert "crashed (SIGSEGV)" in said(result, "does not load")["what"]

    def test_no_time(self, files):
        result = doctor.examine(files["float32"], time_limit=0.01)
        assert result["status"] == "unreadable"
        assert "`--time_limit`" in result["findings"][0]["do"]


class TestErrors:
    @pytest.mark.parametrize(
        "arguments", [{"target": "tpu"}, {"time_limit": 0}, {"memory_limit": -1}]
    )
    def test_arguments(self, files, arguments):
        with pytest.raises(ValueError, match="must be.*Received"):
            doctor.examine(files["float32"], **arguments)
