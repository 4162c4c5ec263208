"""The problems of selection, and the benchmark on them."""

import json

import numpy as np
import pytest

from benchmarks import recall_problems, selection
from recipes.shared import command_line


def run(*arguments):
    flags = selection.define_flags()
    return command_line.run(selection.main, flags, "", list(arguments))


def test_selective_copying():
    inputs, answers = recall_problems.selective(np.random.default_rng(0), 50, 40)
    assert inputs.shape == (50, 56) and answers.shape == (50, 16)
    for row, answer in zip(inputs, answers, strict=True):
        np.testing.assert_array_equal(row[row > 0][:16], answer)
        np.testing.assert_array_equal(row[40:], 15)
    assert answers.min() == 1 and answers.max() == 14
    places = np.count_nonzero(inputs[:, :40], axis=0)
    assert places.min() > 5  # symbols lie anywhere


def test_induction():
    inputs, answers = recall_problems.induction(np.random.default_rng(0), 500, 12)
    assert inputs.shape == (500, 12) and answers.shape == (500, 1)
    np.testing.assert_array_equal((inputs == 15).sum(1), 2)
    first = np.argmax(inputs == 15, axis=1)
    assert {*first} == {*range(10)}
    np.testing.assert_array_equal(inputs[np.arange(500), first + 1], answers[:, 0])
    assert answers.max() < 15 and (inputs[:, -1] == 15).all()


@pytest.mark.parametrize("problem", recall_problems.SELECTION)
def test_all_models_have_as_many_weights(problem):
    counts = [
        recall_problems.build(problem, 40, *sizes).count_params()
        for sizes in selection.MODELS.values()
    ]
    assert max(counts) < 1.05 * min(counts)


@pytest.mark.slow
def test_a_small_run_and_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(selection, "STEPS_PER_EPOCH", 3)
    monkeypatch.setattr(selection, "LENGTHS", (32, 64))
    monkeypatch.setattr(selection, "LONGEST_ATTENTION", 32)
    monkeypatch.setitem(selection.MODELS, "Mamba", ("mamba", 4))
    monkeypatch.setitem(selection.MODELS, "Transformer", ("transformer", 8))
    output = tmp_path / "selection.json"
    arguments = [f"--output={output}", f"--work_dir={tmp_path}", "--steps=6"]
    arguments += ["--length=32", "--models=Mamba,Transformer", "--batch_size=2"]
    arguments += ["--examples=3"]
    assert run(*arguments) == 0
    runs = json.loads(output.read_text())["runs"]
    assert [len(run["accuracies"]) for run in runs] == [2, 2, 2, 2]
    lengths = [[*run["by_length"]] for run in runs[2:]]
    assert lengths == [["32", "64"], ["32"]]
    assert output.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
    assert "| selective | Mamba | " in capsys.readouterr().out
    assert run(*arguments) == 0  # nothing is trained again
    assert "weights\n" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "argument, message",
    [
        ("--models=GRU", "Mamba, Mamba-2"),
        ("--problems=copying", "selective, induction"),
    ],
)
def test_bad_flags(argument, message, tmp_path, capsys):
    assert run(argument, f"--output={tmp_path / 'selection.json'}") == 2
    assert message in capsys.readouterr().err
