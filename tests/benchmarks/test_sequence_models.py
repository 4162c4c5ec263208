"""The benchmark of lengths: models of equal size, and a small run."""

import json

import pytest

from benchmarks import sequence_models, sequence_models_baseline
from recipes.shared import command_line


def run(*arguments):
    values = sequence_models.define_flags()
    return command_line.run(sequence_models.main, values, "", list(arguments))


def test_all_models_have_as_many_weights():
    counts = [
        sequence_models_baseline.build(*sizes, 8).count_params()
        for sizes in sequence_models.MODELS.values()
    ]
    assert max(counts) < 1.02 * min(counts)


@pytest.mark.slow
def test_a_small_run(tmp_path, capsys):
    output = tmp_path / "result.json"
    arguments = ["--lengths=4,8", "--tokens=16", "--models=GRU", "--rounds=1"]
    assert run(*arguments, "--seconds=0.1", f"--output={output}") == 0
    rows = json.loads(output.read_text())["rows"]
    assert [row["length"] for row in rows] == [4, 8]
    for row in rows:
        assert row["models"]["GRU"]["median_ms"] > 0
    assert output.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
    assert "| 8 | " in capsys.readouterr().out


@pytest.mark.parametrize(
    "argument, message",
    [("--models=TCN", "LSTM, GRU"), ("--lengths=60", "divide --tokens")],
)
def test_bad_flags(argument, message, tmp_path, capsys):
    assert run(argument, f"--output={tmp_path / 'x.json'}") == 2
    assert message in capsys.readouterr().err
