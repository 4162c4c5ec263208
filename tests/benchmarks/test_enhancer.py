"""The benchmark of a deep Mamba: its model, and a small run."""

import json

import numpy as np
import pytest

from benchmarks import enhancer
from recipes.shared import command_line


def test_frames_at_once_or_in_turn():
    model = enhancer.build(8, 2)
    states = {
        name: np.zeros((1, *x.shape[1:]), "float32")
        for name, x in model.input.items()
        if name != "frames"
    }
    frames = np.random.default_rng(0).random((1, 3, enhancer.BINS), "float32")
    whole = np.asarray(model({"frames": frames} | states)["masks"])
    assert whole.shape == frames.shape
    for step in range(3):
        outputs = model({"frames": frames[:, [step]]} | states)
        states = {name: np.asarray(outputs[name]) for name in states}
        np.testing.assert_allclose(outputs["masks"], whole[:, [step]], atol=1e-5)


@pytest.mark.slow
def test_the_size_of_the_comparison():
    flags = enhancer.define_flags()
    flags(["enhancer"])
    model = enhancer.build(flags.units, flags.num_layers)
    assert 9.55e6 < model.count_params() < 9.65e6


@pytest.mark.slow
def test_a_small_run(tmp_path, capsys):
    output = tmp_path / "enhancer.json"
    arguments = [f"--output={output}", "--num_layers=1", "--units=16", "--rounds=2"]
    flags = enhancer.define_flags()
    assert command_line.run(enhancer.main, flags, "", arguments) == 0
    report = json.loads(output.read_text())
    float_file, dynamic_file = report["rows"]
    assert dynamic_file["bytes"] < float_file["bytes"]
    assert all(ms > 0 for row in report["rows"] for ms in row["ms"].values())
    assert "| model_dynamic.tflite | " in capsys.readouterr().out
