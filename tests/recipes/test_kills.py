"""Runs that are killed at random moments, in training, export and publishing."""

import csv
import json
import pathlib
import random
import signal
import subprocess
import sys
import time

import pytest

from kerasseq.utils import atomic
from recipes.shared import messages

ROOT = pathlib.Path(__file__).parents[2]
KILLS = 5  # of each recipe
TINY = {
    "translate": "--num_examples=600 --vocab_size=400 --units=16 --embedding_dim=16 "
    "--buckets=1 --epochs=6 --dropout=0.3 --beam_size=2",
    "generate": "--units=16 --num_layers=1 --length=32 --batch_size=64 --num_heads=2 "
    "--window=16 --prompt_length=12 --max_length=30 --epochs=4",
    "forecast": "--arch=gru --units=8 --num_layers=1 --look_back=24 --horizon=6 "
    "--batch_size=128 --epochs=4 --quantize=float16",
    "tag": "--num_examples=400 --arch=gru --units=8 --epochs=6 --noper_word "
    "--quantize=float16",
    "classify_text": "--num_examples=400 --units=8 --embedding_dim=8 --epochs=6 "
    "--quantize=float16",
    "caption": "--num_examples=160 --widths=4,8 --units=16 --embedding_dim=16 "
    "--epochs=6 --dropout=0.3 --beam_size=2",
    "classify_image": "--epochs=8 --hidden_dim=32 --num_layers=1 --num_heads=2 "
    "--mlp_dim=48 --quantize=float16",
    "segment": "--epochs=4 --width=4 --depth=2 --num_examples=60 --quantize=float16",
}
MEASURED = ("seconds", "per_second", "ms_per", "latency")


def start(recipe, folder):
    command = [sys.executable, "-m", f"recipes.{recipe}", *TINY[recipe].split()]
    command += [f"--output_dir={folder}"]
    if (folder / messages.STATE).exists():
        command += ["--resume"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def numbers(value):
    """The numbers of a nested value, but for what a clock measured."""
    if isinstance(value, dict):
        parts = ((k, v) for k, v in value.items() if not any(x in k for x in MEASURED))
        return [number for _, part in parts for number in numbers(part)]
    return [float(value)] if isinstance(value, (int, float)) else []


def results(folder):
    with open(folder / "history.csv", newline="") as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    metrics = json.loads((folder / "card.json").read_text())["metrics"]
    return [*(number for row in rows for number in numbers(row)), *numbers(metrics)]


def check_published(folder):
    """What is there is whole, once the next start has done what a kill interrupted."""
    atomic.remove_leftovers(folder)
    if not (folder / "report.json").exists():
        assert not [*folder.glob("*.tflite")]
        return
    report = json.loads((folder / "report.json").read_text())
    for artifact in report["artifacts"]:
        if artifact["file"].endswith(".tflite"):
            assert (folder / artifact["file"]).stat().st_size == artifact["bytes"]


def test_no_recipe_is_spared():
    assert TINY.keys() == {x.parent.name for x in ROOT.glob("recipes/*/__main__.py")}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", TINY)
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_is_not(recipe, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    began = time.monotonic()
    assert start(recipe, whole).wait() == 0
    seconds, moments = time.monotonic() - began, random.Random(recipe)
    for _ in range(KILLS):
        child = start(recipe, killed)
        try:
            child.wait(seconds * moments.uniform(0.3, 1))
        except subprocess.TimeoutExpired:
            child.kill()
            assert child.wait() == -signal.SIGKILL
        check_published(killed)
    assert start(recipe, killed).wait() == 0
    assert results(killed) == pytest.approx(results(whole), rel=1e-5)
    leftovers = {path.name for path in tmp_path.iterdir()} - {"whole", "killed"}
    assert not leftovers


def children_of(pid):
    """The processes below one, which outlive it if nobody ends them."""
    files = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
    direct = [int(word) for file in files for word in file.read_text().split()]
    return [*direct, *(x for child in direct for x in children_of(child))]


def wait_for(text, path):
    while text not in path.read_text():
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["Epoch 2", "Export ..."])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_and_the_run_goes_on(moment, number, tmp_path):
    log, folder = tmp_path / "log", tmp_path / "out"
    command = [sys.executable, "-u", "-m", "recipes.classify_image"]
    command += [*TINY["classify_image"].split(), f"--output_dir={folder}"]
    with open(log, "w") as file:
        child = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)
        wait_for(moment, log)
        time.sleep(2)
        below = children_of(child.pid)
        child.send_signal(number)
        assert child.wait(120) == 128 + number
    last = log.read_text().splitlines()[-1]
    assert last.startswith(f"ended by {number.name}") and "--resume" in last
    time.sleep(1)
    assert not [pid for pid in below if pathlib.Path(f"/proc/{pid}").exists()]
    assert {path.name for path in tmp_path.iterdir()} == {"log", "out"}
    assert {path.name for path in folder.iterdir()} == {"run"}
    assert start("classify_image", folder).wait() == 0
    check_published(folder)
    assert (folder / "report.json").exists()
