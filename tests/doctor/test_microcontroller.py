"""What the doctor says of TensorFlow Lite Micro.

Bytes and refusals are those of the interpreter in tflite-micro 0.dev20261023.
"""

import pathlib

import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq.doctor import arena, graphs, page
from kerasseq.lite import flatbuffer, gpu_rules, micro_rules
from tests.doctor.examined import examine, said
from tests.lite import hand_made

MICRO = "microcontroller"
PUBLISHED = pathlib.Path(__file__).parents[2] / "saved_models" / "published"


def described(path):
    return arena.describe(graphs.of_model(flatbuffer.read(path)))


def test_names():
    assert set(vars(schema.BuiltinOperator)) >= micro_rules.OPS
    assert "GELU" in set(gpu_rules.OPS) - micro_rules.OPS


@pytest.mark.parametrize(
    "name, head", [("segment", 319488), ("segment_nuclei", 1361664)]
)
def test_head_of_the_arena(name, head):
    found = described(PUBLISHED / name / "model_int8.tflite")
    assert found["planned"] == head and found["worst_op"] == "TRANSPOSE_CONV"


@pytest.mark.parametrize(
    "make, head, total",
    [
        (hand_made.classifier, 960, 1904),
        (hand_made.segmenter, 2304, 3424),
        (hand_made.generator, 112, 1040),
    ],
)
def test_small_files(tmp_path, make, head, total):
    found = described(make(tmp_path / "a.tflite"))
    assert found["planned"] == found["peak"] == head
    assert 0.6 * total < found["arena"] < total  # the total is of 64 bits


def test_gaps_are_filled():
    def tensor(index, size):
        return graphs.Tensor(index, "", (size,), "INT8", index, 0, False)

    a, b, c, d = (tensor(i, 16 * size) for i, size in enumerate((4, 1, 2, 3)))
    ops = [graphs.Op("A", (a,), (b,)), graphs.Op("B", (b,), (c,))]
    ops.append(graphs.Op("C", (b, c), (d,)))
    found = arena.describe([graphs.Graph("main", (), tuple(ops), (a,), (d,))])
    assert found["peak"] == 96 and found["planned"] == 96 and found["worst_op"] == "C"


def test_healthy(files):
    result = examine(files["full_int8"], MICRO)
    assert result["status"] == "healthy"
    (note,) = result["findings"]
    assert "1.1 KiB of RAM" not in note["what"] and "KiB of RAM" in note["what"]
    assert any(line.startswith("arena  ") for line in page.text(result).splitlines())


def test_refused(files):
    result = examine(files["dynamic"], MICRO)
    assert result["status"] == "unhealthy"
    assert said(result, "there is no kernel")["where"] == "FULLY_CONNECTED x1"
    assert "DEQUANTIZE" in said(examine(files["float16"], MICRO), "float16")["where"]
    loop = examine(files["loop"], MICRO)
    assert said(loop, "no kernel")["where"] == "TOPK_V2 x1"
    assert "in float32" in said(examine(files["float32"], MICRO), "four times")["what"]


def test_shapes_and_signatures(files, tmp_path):
    result = examine(files["batch"], MICRO)
    assert said(result, "takes each for 1")["severity"] == "warning"
    content = hand_made.classifier(tmp_path / "a.tflite").read_bytes()
    model = flatbuffer.parse(content)
    graph, signature = schema.SubGraphT(), schema.SignatureDefT()
    graph.tensors = graph.operators = graph.inputs = graph.outputs = []
    signature.signatureKey, signature.subgraphIndex = b"other", 1
    model.subgraphs.append(graph)
    model.signatureDefs.append(signature)
    (tmp_path / "b.tflite").write_bytes(flatbuffer.write(model))
    assert said(examine(tmp_path / "b.tflite", MICRO), "first")["where"] == "other"
