import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import (
    on_device,
    on_device_files,
    on_device_models,
    on_device_tables,
    on_device_worker,
)

ROOT = pathlib.Path(__file__).parents[2]
TIMES = {
    "kerasseq": 1.2,
    "dynamic": 0.5,
    "fused": 1.3,
    "while": 1.0,
    "unrolled": 1.4,
    "stock": 2.4,
    "stock_unroll": 3.0,
    "onnx": 0.8,
    "kerasseq, no XNNPACK": 0.1,
}


def row(name):
    results = {k: {"median_ms": x, "max_abs_diff": 0.0} for k, x in TIMES.items()}
    return {
        "name": name,
        "auto_took": "while",
        "parameter_bytes": 1000,
        "files": {
            "kerasseq": {"bytes": 1100, "duplicated_bytes": 7},
            "stock": {"bytes": 1500, "duplicated_bytes": 2000},
        },
        "results": {"1": results},
        "ratios": {"1": on_device_tables.ratios(results)},
    }


@pytest.fixture(scope="module")
def case():
    return on_device_models.make("tagger_tiny")


@pytest.fixture(scope="module")
def stock(case, tmp_path_factory):
    return on_device_files.stock(case, tmp_path_factory.mktemp("files"))


def test_the_best_is_in_float_and_with_xnnpack():
    assert row("x")["ratios"]["1"] == {
        "best": "onnx",
        "auto_to_best": pytest.approx(1.5),
        "auto_to_best_loop": pytest.approx(1.2),
    }


def test_tables_are_written_between_the_marks(tmp_path):
    report = {
        "settings": {"threads": ["1"]},
        "rows": [row("a, encode"), row("a, step")],
    }
    results, page = tmp_path / "results.json", tmp_path / "page.md"
    results.write_text(json.dumps(report))
    begin, end = on_device_tables.BEGIN, on_device_tables.END
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    on_device_tables.main(results, page)
    lines = page.read_text().splitlines()
    assert lines[0] == "before" and lines[-1] == "after" and "old" not in lines
    # The faster of the two stock files counts, and what is not there is empty.
    latency = "| a, encode | 1.200 | 0.42 x | 2.00 x |  | 0.67 x | 1.50 (onnx) |"
    assert latency in lines
    assert "| a, encode | 0.100 (0.08 x) |  |  |  |" in lines
    assert "| a, step | 1.200 | 1.300 | 1.000 | 1.400 | while | 1.20 |" in lines
    assert lines.count("| a | 1 | 1.10 |  | 1.50 |  |  | 7 |") == 1


@pytest.mark.parametrize("name", on_device.TINY)
def test_models_of_torch_compute_the_same(name):
    torch = pytest.importorskip("torch")
    from benchmarks import on_device_torch

    case = on_device_models.make(name)
    weights = on_device_models.weights(case.model)
    for signature, module in on_device_torch.build(
        **case.torch, weights=weights
    ).items():
        inputs = {
            key: torch.tensor(x)
            for key, x in case.inputs[signature].items()
            if key != "bias"
        }
        outputs = module(**on_device_torch.channels_first(inputs))
        expected = on_device_worker.channels_first(case.expected[signature])
        for key, found in outputs.items():
            np.testing.assert_allclose(found.detach(), expected[key], atol=1e-5)
            assert key == "state_1" or np.std(expected[key]) > 1e-3


@pytest.mark.parametrize("name", ["stock", "stock_unroll"])
def test_stock_files_compute_the_same(case, stock, tmp_path, name):
    path = tmp_path / "arrays.npz"
    arguments = str(stock[name]), "serve", 1, True, str(path), 1e-4
    arrays = on_device.sample(case, "serve")
    np.savez(path, **arrays)
    prepare, facts = on_device_worker.load(*arguments)
    assert facts["max_abs_diff"] < 1e-5 and prepare()() == 0.0
    np.savez(path, **arrays | {"expected/tags": arrays["expected/tags"] + 0.01})
    with pytest.raises(ValueError, match="differs from Keras by 0.01"):
        on_device_worker.load(*arguments)


def test_sizes(stock):
    found = on_device_files.sizes({"stock": stock["stock"]})["stock"]
    assert found["bytes"] == stock["stock"].stat().st_size
    assert found["duplicated_bytes"] == 0


def test_a_search_in_python_ends_and_carries_states():
    def encode(inputs):
        return {"state_0": inputs["source"], "state_1": 0}

    def step(inputs):
        token = int(inputs["state_0"]) + 1
        logits = np.eye(9)[token]
        return {"logits": logits, "state_0": token, "state_1": 0}

    run = on_device_worker.search({"encode": encode, "step": step}, 4)
    assert run({"source": 4})["tokens"].tolist() == [[5, 6, 7, 8]]
    assert run({"source": 1})["tokens"].tolist() == [[2, 3, 0, 0]]


def test_a_peer_that_is_no_python(tmp_path):
    command = [sys.executable, "-m", "benchmarks.on_device", "--onnx_python=nowhere"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--onnx_python must be a Python" in done.stderr


@pytest.mark.slow
def test_a_small_row(tmp_path):
    output = tmp_path / "report.json"
    command = [sys.executable, "-m", "benchmarks.on_device", "--rows=translator_tiny"]
    command += ["--rounds=1", "--seconds=0.02", "--threads=1", f"--output={output}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Without onnx, which needs --onnx_python." in done.stdout
    rows = json.loads(output.read_text())["rows"]
    names = ["encode", "step", "greedy"]
    assert {x["name"] for x in rows} == {f"translator_tiny, {name}" for name in names}
    for one in rows:
        assert {"kerasseq", "fused", "while", "unrolled", "stock"} <= set(one["files"])
        assert all(x["median_ms"] > 0 for x in one["results"]["1"].values())
        assert one["ratios"]["1"]["auto_to_best"] >= 1
