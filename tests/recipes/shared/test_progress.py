"""How far a job is, and what it would take."""

import re
import time

import keras
import numpy as np
import pytest

from kerasseq.utils import stages
from recipes.shared import command_line, dry_run, progress, quantization_flags


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.ones((2, 4), "float32"), np.ones((2, 1), "float32")


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_what_readers_say_is_printed_once(capsys):
    def main(flags):
        stages.LOGGER.warning("%d rows were left out", 3)
        stages.Stages(1).begin("graph")  # not now: no stage of the recipe was begun

    flags = command_line.new_flags("tag", epochs=1, batch_size=1)
    assert command_line.run(main, flags, "", []) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("note: 3 rows were left out\n", "")


def test_a_stage_tells_that_it_runs_and_how_long_it_took(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0.01)
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    printed = ""
    with progress.stage("Export"):
        stages.Stages(2).begin("model.tflite")
        while "still" not in printed:
            time.sleep(0.1)
            printed += capsys.readouterr().out
    printed += capsys.readouterr().out
    first, *between, last = printed.splitlines()
    assert (first, last) == ("Export ...", "Export: 0 s")
    assert between[0] == "Export: 1 of 2: model.tflite"
    assert {*between[1:]} == {"Export: still at work after 0 s"}


def test_the_time_that_is_left(model, capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0)
    callback = progress.remaining_time(3, epochs=5, initial_epoch=3)
    fit = {"epochs": 5, "initial_epoch": 3, "verbose": 0, "shuffle": False}
    model.fit(Batches(), callbacks=[callback], **fit)
    lines = capsys.readouterr().out.splitlines()
    where = [line.partition(":")[0] for line in lines]
    steps = [f"step {number} of 6" for number in range(2, 7)]
    assert where == [*steps[:2], "epoch 4 of 5", *steps[2:]]
    assert re.fullmatch(r"step 2 of 6: about \d+ s left at most", lines[0])


def test_the_compilation_is_not_in_the_time_that_is_left(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0)
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    callback = progress.remaining_time(100, epochs=1, initial_epoch=0)
    for batch, seconds in enumerate((1000, 2, 2)):
        now[0] += seconds
        callback.on_train_batch_end(batch, {})
    assert capsys.readouterr().out.splitlines() == [
        "step 2 of 100: about 3 min left at most",
        "step 3 of 100: about 3 min left at most",
    ]


def test_a_dry_run_estimates_time_and_size(model, capsys):
    flags = command_line.new_flags("demo", epochs=10, batch_size=2)
    quantization_flags.define_flags(flags)
    flags(["recipe", "--quantize=int8"])
    dry_run.show(flags, model, {"train": Batches(), "validation": Batches()})
    time_line, size_line, last = capsys.readouterr().out.splitlines()
    pattern = r"time: .* to compile, then at most .* of training, 10 epochs of .*"
    assert re.match(pattern, time_line) and "3 steps of " in time_line
    assert size_line == "size: about float32 2e-05 MB, int8 5e-06 MB"
    assert last == "dry run: nothing was written to saved_models/demo"
