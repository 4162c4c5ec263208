"""The adding and copying problems, and the benchmark on them."""

import json
import math

import numpy as np
import pytest

from benchmarks import recall, recall_problems
from recipes.shared import command_line


def run(*arguments):
    return command_line.run(recall.main, recall.define_flags(), "", list(arguments))


def test_adding():
    generator = np.random.default_rng(0)
    inputs, sums = recall_problems.adding(generator, 4000, 12)
    assert inputs.shape == (4000, 12, 2) and sums.shape == (4000, 1)
    marks = inputs[:, :, 1]
    assert set(np.unique(marks)) == {0, 1}
    np.testing.assert_array_equal(marks[:, :6].sum(1), 1)
    np.testing.assert_array_equal(marks[:, 6:].sum(1), 1)
    np.testing.assert_allclose((inputs[:, :, 0] * marks).sum(1), sums[:, 0], rtol=1e-6)
    # The error of always answering 1.
    expected = recall_problems.baseline("adding", 12)
    assert np.mean((sums - 1) ** 2) == pytest.approx(expected, rel=0.1)


def test_copying():
    inputs, outputs = recall_problems.copying(np.random.default_rng(0), 5, 30)
    assert inputs.shape == outputs.shape == (5, 50)
    np.testing.assert_array_equal(outputs[:, -10:], inputs[:, :10])
    assert not outputs[:, :-10].any()
    assert 1 <= inputs[:, :10].min() and inputs[:, :10].max() <= 8
    # The sign comes where the answer begins: at one of the last ten steps.
    np.testing.assert_array_equal(np.argwhere(inputs == 9)[:, 1], 39)
    assert not inputs[:, 10:39].any() and not inputs[:, 40:].any()
    expected = 10 * math.log(8) / 50
    assert recall_problems.baseline("copying", 30) == expected


def test_examples_follow_from_seed_epoch_and_index():
    def first(seed=0, epoch=0, index=0, fixed=False):
        examples = recall_problems.Examples("adding", 10, 2, 3, seed, fixed)
        examples.epoch = epoch
        return examples[index][0].tobytes()

    assert first() == first()
    assert len({first(), first(seed=1), first(epoch=1), first(index=1)}) == 4
    assert first(fixed=True) == first(epoch=1, fixed=True)


@pytest.mark.parametrize("problem", recall_problems.PROBLEMS)
def test_all_models_have_as_many_weights(problem):
    counts = [
        recall_problems.build(problem, 20, *sizes).count_params()
        for sizes in recall.MODELS.values()
    ]
    assert max(counts) < 1.05 * min(counts)


@pytest.mark.slow
def test_a_small_run_and_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recall, "STEPS_PER_EPOCH", 3)
    monkeypatch.setitem(recall.MODELS, "GRU", ("gru", 4))
    output = tmp_path / "recall.json"
    arguments = [f"--output={output}", f"--work_dir={tmp_path}", "--steps=6"]
    arguments += ["--lengths=4", "--models=GRU", "--batch_size=2"]
    assert run(*arguments) == 0
    runs = json.loads(output.read_text())["runs"]
    assert [run["problem"] for run in runs] == ["adding", "copying"]
    assert all(math.isfinite(run["loss"]) for run in runs)
    assert output.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
    assert "| copying | 4 | 0.866 | GRU | 6 |" in capsys.readouterr().out
    assert run(*arguments) == 0  # nothing is trained again
    assert "weights" not in capsys.readouterr().out
    assert run(*arguments, "--seed=1") == 2


@pytest.mark.slow
def test_a_solved_problem_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(recall, "STEPS_PER_EPOCH", 2)
    monkeypatch.setitem(recall.MODELS, "GRU", ("gru", 4))
    monkeypatch.setattr(recall_problems, "baseline", lambda *_: 1e9)
    output = tmp_path / "recall.json"
    arguments = [f"--output={output}", f"--work_dir={tmp_path}", "--steps=6"]
    arguments += ["--lengths=4", "--models=GRU", "--problems=adding", "--batch_size=2"]
    assert run(*arguments) == 0
    (solved,) = json.loads(output.read_text())["runs"]
    assert len(solved["losses"]) == 1


@pytest.mark.parametrize(
    "argument, message",
    [
        ("--models=TCN", "SimpleRNN, LSTM"),
        ("--problems=sorting", "adding, copying"),
        ("--lengths=1,x", "at least 2"),
    ],
)
def test_bad_flags(argument, message, tmp_path, capsys):
    assert run(argument, f"--output={tmp_path / 'recall.json'}") == 2
    assert message in capsys.readouterr().err
