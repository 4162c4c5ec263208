"""Graphs that GPUs are known to compute wrongly."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.doctor.examined import examine
from tests.lite.hand_made import FileMaker


def padded(maker, shape, paddings):
    x = maker.tensor(shape)
    by = maker.tensor([len(shape), 2], "int32", paddings)
    sizes = [n + a + b for n, (a, b) in zip(shape, paddings, strict=True)]
    return {"x": x}, {"y": maker.op("PAD", [x, by], sizes)}


def summed(maker, length):
    x = maker.tensor([1, length, 4])
    return {"x": x}, {"y": maker.op("SUM", [x, maker.constant(1)], [1, 4])}


def state(maker, again, constant=False):
    x = maker.tensor([1, 4])
    other = maker.tensor([1, 4], value=np.ones(4)) if constant else maker.tensor([1, 4])
    options = schema.AddOptionsT()
    total = maker.op("ADD", [x, other], [1, 4], options=options)
    inputs = {"x": x} if constant else {"x": x, "state": other}
    outputs = {"state": total}
    if again:
        outputs["y"] = maker.op("ABS", [total], [1, 4])
    return inputs, outputs


def attention(maker, *batch):
    q, k, v = (maker.tensor([*batch, 4, 8]) for _ in range(3))
    options = schema.BatchMatMulOptionsT()
    options.adjY = True
    scores = maker.op("BATCH_MATMUL", [q, k], [*batch, 4, 4], options=options)
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    weights = maker.op("SOFTMAX", [scores], [*batch, 4, 4], options=softmax)
    options = schema.BatchMatMulOptionsT()
    y = maker.op("BATCH_MATMUL", [weights, v], [*batch, 4, 8], options=options)
    return {"q": q, "k": k, "v": v}, {"y": y}


def masked(maker, *shape):
    x, mask = maker.tensor([2, 4, 4]), maker.tensor(shape)
    total = maker.op("ADD", [x, mask], [1, 2, 4, 4], options=schema.AddOptionsT())
    return {"x": x, "mask": mask}, {"y": total}


CASES = [
    (9272, padded, ([2, 3, 4], [(0, 0), (0, 1), (0, 0)]), True),
    (9272, padded, ([2, 3, 4], [(0, 0), (0, 0), (4, 0)]), False),
    (9272, padded, ([1, 2, 3, 4], [(0, 0), (0, 1), (0, 0), (0, 0)]), False),
    (9249, summed, (12544,), True),
    (9249, summed, (64,), False),
    (8599, state, (True,), True),
    (8599, state, (False,), False),
    (8599, state, (True, True), False),
    (8619, attention, (3,), True),
    (8619, attention, (1, 3), False),
    (8980, masked, (1, 1, 4, 4), True),
]


@pytest.mark.parametrize("thread, make, arguments, concerned", CASES)
def test_fault(tmp_path, thread, make, arguments, concerned):
    maker = FileMaker()
    inputs, outputs = make(maker, *arguments)
    path = maker.write(tmp_path / "a.tflite", "serve", inputs, outputs)
    result = examine(path, "gpu")
    found = [f for f in result["findings"] if f"LiteRT/issues/{thread}" in f["do"]]
    assert len(found) == concerned and result["status"] == "healthy"
    assert [f["severity"] for f in found] == ["warning"] * concerned
    assert not any("Seen on GPUs" in f["what"] for f in examine(path)["findings"])
