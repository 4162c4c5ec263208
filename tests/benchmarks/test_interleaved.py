"""Interleaved baselines: order, times, failures."""

import itertools
import json
import pathlib
import subprocess
import sys

import pytest

from benchmarks import interleaved, training_baselines

ROOT = pathlib.Path(__file__).parents[2]
FAKE = {"PYTHONPATH": str(pathlib.Path(__file__).parent)}


def worker(log, name, **settings):
    settings |= {"log": str(log), "name": name}
    return interleaved.Worker("fake_baseline", settings, FAKE, timeout=60)


def test_baselines_work_one_after_the_other(tmp_path):
    log = tmp_path / "log"
    workers = {name: worker(log, name) for name in "ab"}
    results = interleaved.measure(workers, num_rounds=2, seconds=0.05)
    # One step each to prepare, then two rounds.
    order = "".join(name for name, _ in itertools.groupby(log.read_text().split()))
    assert order == "ababab"
    for name, result in results.items():
        assert result["name"] == name
        assert 10 <= result["median_ms"] < 40
        assert result["quartiles_ms"][0] <= result["median_ms"]
        assert result["num_steps"] >= 4
        assert result["first_loss"] == result["last_loss"] == 0.5
        assert result["first_step_seconds"] >= 0.01
        assert result["fastest_ms"] <= result["median_ms"]
        assert 0 <= result["busy_cores"]
    assert all(one.process.poll() is not None for one in workers.values())


@pytest.mark.parametrize("at", ["load", "prepare", "exit"])
def test_a_failure_of_one_baseline_is_reported(tmp_path, at):
    workers = {"good": worker(tmp_path / "log", "good")}
    workers["bad"] = worker(tmp_path / "log", "bad", fails=at)
    results = interleaved.measure(workers, num_rounds=1, seconds=0.01)
    assert "median_ms" in results["good"]
    message = "code 3" if at == "exit" else f"ValueError: asked to fail in {at}"
    assert list(results["bad"]) == ["error"] and message in results["bad"]["error"]


def test_an_unknown_module_is_reported():
    results = interleaved.measure(
        {"x": interleaved.Worker("no_such_module", {})}, 1, 0.01
    )
    assert "no_such_module" in results["x"]["error"]


def test_a_silent_baseline_is_given_up():
    silent = interleaved.Worker("timeit", {}, timeout=0.1)  # prints after a second
    results = interleaved.measure({"x": silent}, 1, 0.01)
    assert "0.1 seconds" in results["x"]["error"]


def test_ratios_count_the_better_mode_of_keras():
    results = {
        "kerasseq": {"median_ms": 10.0},
        "keras_jit": {"median_ms": 30.0},
        "keras": {"median_ms": 20.0},
        "torch": {"error": "absent"},
    }
    assert training_baselines.ratios(results) == {"Keras/ours": 2.0}
    rows = [{"ratios": {"Keras/ours": 2.0}}, {"ratios": {"Keras/ours": 8.0}}]
    assert training_baselines.means(rows) == {"Keras/ours": pytest.approx(4.0)}


@pytest.mark.slow
def test_two_baselines_train(tmp_path):
    output = tmp_path / "report.json"
    command = [sys.executable, "-m", "benchmarks.rnn_train", "--rows=tiny"]
    command += ["--cells=BiLSTM", "--baselines=kerasseq,keras", "--rounds=1"]
    command += ["--seconds=0.1", f"--output={output}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(output.read_text())["rows"]
    assert row["ratios"].keys() == {"Keras/ours"}
    for result in row["baselines"].values():
        assert result["last_loss"] < result["first_loss"]
    assert "| 1 x BiLSTM (2, 5, 3, 4) |" in done.stdout
