import copy

import pytest

from kerasseq import doctor
from kerasseq.doctor import findings, graphs, quantization


@pytest.fixture(scope="module")
def content(files):
    return doctor.examine(files["full_int8"], time_limit=120)


def quantized(**found):
    return {"quantization": {"state": "int8", **found}}


SPEC = {"signature": "serve", "name": "x", "shape": [1, None], "dtype": "float32"}
REFUSED = {"CAST": {"a tensor of type INT64": 1}}
ENTRY = {"serve": {"ops": 20, "gpu_ops": 19, "pieces": [{}, {}]}}
CASES = [
    ("cpu", {"bytes": 2**31}, "error", "2 GB"),
    ("cpu", {"custom_ops": ["MyOp"]}, "warning", "Custom ops"),
    ("cpu", {"dynamic_tensors": ["a"]}, "note", "Inner sizes"),
    ("cpu", {"dynamic_inputs": [SPEC]}, "note", "Input sizes"),
    ("gpu", {"dynamic_tensors": ["a"]}, "error", "Inner sizes"),
    ("gpu", {"dynamic_inputs": [SPEC]}, "error", "beside the batch"),
    (
        "gpu",
        {"gpu": {"refused": REFUSED, "entries": ENTRY, "known_faults": []}},
        "warning",
        "INT64",
    ),
    ("int8", {"dynamic_inputs": [SPEC]}, "warning", "Input sizes"),
    ("int8", quantized(state="int16x8"), "error", "int16"),
    ("int8", quantized(hybrid_ops={"FULLY_CONNECTED": 1}), "error", "Hybrid"),
    ("int8", quantized(float_weight_ops={"LSTM": 1}), "error", "float weights"),
    ("cpu", quantized(float_weight_ops={"LSTM": 1}), "warning", "float weights"),
    ("cpu", quantized(state="float16"), "note", "float16"),
    ("int8", quantized(float_ops={"SOFTMAX": 1}), "warning", "compute in float"),
]


@pytest.mark.parametrize("target, change, severity, text", CASES)
def test_finding(content, target, change, severity, text):
    assert findings.collect(content, target) == []
    changed = copy.deepcopy(content)
    for key, value in change.items():
        if key == "quantization":
            changed[key].update(value)
        else:
            changed[key] = value
    found = [f for f in findings.collect(changed, target) if text in f["what"]]
    assert [f["severity"] for f in found] == [severity]
    assert found[0]["where"] and found[0]["do"]


@pytest.mark.parametrize(
    "message, advice",
    [
        ("Didn't find op for builtin opcode 'ADD' version '99'", "newer"),
        ("The model is not a valid Flatbuffer buffer", "compare its size"),
        ("crashed (SIGSEGV)", "int8 WHILE loop"),
        ("not finished in 8 s", "`--time_limit`"),
        ("something else", "convert it again"),
    ],
)
def test_loading(content, message, advice):
    runtime = {"version": "2", "loads": False, "message": message}
    found = findings.collect({**content, "runtime": runtime}, "cpu")
    assert len(found) == 1 and message in found[0]["what"]
    assert advice in found[0]["do"]


def test_lstm_left_in_float():
    def tensor(index, dtype, constant=False):
        scale = dtype == "INT8"
        return graphs.Tensor(index, "", (32, 32), dtype, index, 99 * constant, scale)

    x, y, z = tensor(0, "INT8"), tensor(1, "INT8"), tensor(2, "FLOAT32")
    dense = graphs.Op("FULLY_CONNECTED", (x, tensor(3, "INT8", True)), (y,))
    lstm = graphs.Op("LSTM", (z, tensor(4, "FLOAT32", True)), (tensor(5, "FLOAT32"),))
    ops = (dense, graphs.Op("DEQUANTIZE", (y,), (z,)), lstm)
    found = quantization.describe([graphs.Graph("main", (), ops, (x,), ())], {})
    assert found["state"] == "int8"
    assert found["float_weight_ops"] == found["float_ops"] == {"LSTM": 1}
    assert found["hybrid_ops"] == {}
