import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.slow
def test_a_small_row(tmp_path):
    output = tmp_path / "lite.json"
    small = ["--cells=LSTM", "--units=4", "--time=6", "--rounds=5"]
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.rnn_lite", *small, f"--output={output}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert "| LSTM 4 |" in result.stdout
    (row,) = json.loads(output.read_text())["rows"]
    baselines = {"fused", "while", "unrolled", "auto", "stock", "stock_unroll"}
    assert set(row["baselines"]) == baselines
    assert all(baseline["latency_ms"] > 0 for baseline in row["baselines"].values())
