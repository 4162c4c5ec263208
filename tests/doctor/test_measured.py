"""Files held against what others have measured."""

import json

import pytest

from kerasseq import cli, doctor
from tests.doctor.examined import PATIENT, said


def entry(op, status, **others):
    return {"op": op, "status": status, "provenance": "measured", **others}


ENTRIES = [
    entry("CONV_2D", "delegated"),
    entry("CONV_2D", "crash", dtypes=["int8"]),
    entry("SOFTMAX", "incorrect", constraints={"rank": 2}, conditions="rank 2 is off"),
    entry("SOFTMAX", "delegated"),
    entry("RESHAPE", "fallback", constraints={"min_rank": 5}),
    entry("RESHAPE", "fallback", constraints={"something_else": 1}),
    entry("FULLY_CONNECTED", "fallback", dtypes=["float32"]),
]


@pytest.fixture
def matrix(tmp_path):
    path = tmp_path / "matrix.json"
    fields = {"backend": "gpu_mldrift", "litert_version": "2.1.6"}
    content = {**fields, "generated_at": "2026-08-21", "entries": ENTRIES}
    path.write_text(json.dumps(content))
    return path


def test_lookup(files, matrix):
    result = doctor.examine(files["float32"], "gpu", matrix=matrix, **PATIENT)
    assert result["measured"]["ops"] == {
        "CONV_2D": {"delegated": 1},
        "FULLY_CONNECTED": {"fallback": 1},
        "RESHAPE": {"unknown": 1},
        "SOFTMAX": {"incorrect": 1},
    }
    assert result["status"] == "healthy"
    assert "rank 2 is off" in said(result, "computed such ops wrongly")["do"]
    assert said(result, "nothing was measured")["where"] == "RESHAPE x1"
    where = said(result, "disagree")["where"]
    assert where == "FULLY_CONNECTED (the list takes it, measured: fallback)"


def test_other_types(files, matrix, capsys):
    arguments = ["doctor", str(files["full_int8"]), "--matrix", str(matrix)]
    assert cli.main([*arguments, "--time_limit", "120"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "crashed, or did not compile a graph, on such ops (gpu_mldrift 2.1.6" in text


@pytest.mark.parametrize(
    "wrong",
    [
        entry("ADD", "good"),
        entry(5, "crash"),
        entry("ADD", "crash", dtypes=5),
        entry("ADD", "crash", dtypes=[5]),
        entry("ADD", "crash", constraints=[1]),
        entry("ADD", "crash", constraints={"min_rank": "5"}),
        "ADD",
    ],
)
def test_wrong_entries(files, matrix, wrong):
    content = json.loads(matrix.read_text())
    matrix.write_text(json.dumps({**content, "entries": [*ENTRIES, wrong]}))
    with pytest.raises(ValueError, match="snapshot of edge-compat.*Received"):
        doctor.examine(files["float32"], matrix=matrix)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"entries": [1]}', "\xff"])
def test_no_matrix(files, tmp_path, capsys, content):
    path = tmp_path / "matrix.json"
    path.write_text(content)
    assert cli.main(["doctor", str(files["float32"]), "--matrix", str(path)]) == 2
    assert "snapshot" in capsys.readouterr().err
    with pytest.raises(ValueError, match="snapshot of edge-compat.*Received"):
        doctor.examine(files["float32"], matrix=tmp_path / "nothing.json")
