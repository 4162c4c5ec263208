"""The benchmark of the next token's cost: models, and a small run."""

import json

import numpy as np
import pytest

from benchmarks import generation_speed, sequence_models
from kerasseq import models
from recipes.shared import command_line


def run(*arguments):
    flags = generation_speed.define_flags()
    return command_line.run(generation_speed.main, flags, "", list(arguments))


def test_all_models_are_step_models_of_one_size():
    counts = []
    for name in sequence_models.MODELS:
        model = generation_speed.build(name, 8)
        assert models.state_names(model)
        counts.append(model.count_params())
    assert max(counts) < 1.15 * min(counts)


@pytest.mark.slow
def test_a_small_run(tmp_path, capsys):
    output = tmp_path / "result.json"
    arguments = ["--models=GRU,RWKV-7,Transformer", "--lengths=4,8", "--rounds=3"]
    assert run(*arguments, "--far=20", f"--output={output}") == 0
    found = json.loads(output.read_text())
    assert len(found["rows"]) == 6 and set(found["far"]) == {"GRU", "RWKV-7"}
    sizes = {(row["model"], row["length"]): row["state_bytes"] for row in found["rows"]}
    assert sizes["GRU", 4] == sizes["GRU", 8] == 2 * 188 * 4
    assert sizes["Transformer", 8] == 2 * sizes["Transformer", 4]
    assert all(row["file_ms"] > 0 and row["keras_ms"] > 0 for row in found["rows"])
    assert np.isfinite(found["far"]["GRU"]["ratio"])
    assert "after 20 tokens" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argument, message",
    [("--models=TCN", "LSTM, GRU"), ("--lengths=0", "positive numbers")],
)
def test_bad_flags(argument, message, tmp_path, capsys):
    assert run(argument, f"--output={tmp_path / 'x.json'}") == 2
    assert message in capsys.readouterr().err
