"""The recurrent layers of the benchmark: their products, and a small run."""

import json
import math
import pathlib
import subprocess
import sys

import pytest

from benchmarks import rnn_train_baseline as baseline

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("cell, directions, gates", [("GRU", 1, 3), ("BiLSTM", 2, 4)])
def test_products_of_a_step(cell, directions, gates):
    found = baseline.products(cell, sizes=(2, 5, 3, 4), num_layers=2)
    tokens, width = 10, gates * 4
    of_states = 3 * tokens * 4 * width  # forwards, backwards, and the weights
    first = 2 * tokens * 3 * width  # the data get no gradient
    second = 3 * tokens * directions * 4 * width
    assert sum(math.prod(one) for one in found) == (
        directions * (first + second + 2 * of_states)
    )


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [0, 2])
def test_all_baselines_train(tmp_path, epochs):
    output = tmp_path / "report.json"
    command = [sys.executable, "-m", "benchmarks.rnn_train", "--rows=tiny"]
    command += ["--cells=LSTM", "--rounds=1", "--seconds=0.1", f"--output={output}"]
    command += ["--baselines=kerasseq,keras_jax,kerasseq_jax,products"]
    command += [f"--fit_epochs={epochs}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(output.read_text())["rows"]
    assert row["ratios"].keys() == {"JAX: Keras/ours", "ours/products"}
    for name in ("kerasseq", "keras_jax", "kerasseq_jax"):
        steps = row["baselines"][name]["num_steps"]
        assert steps >= 2 and steps % (epochs * 8 or 1) == 0
