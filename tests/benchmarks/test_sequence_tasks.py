"""The table of encoders: what it runs, a tiny run that goes on, bad flags."""

import json
import re
import shlex

import pytest

from benchmarks import sequence_tasks
from kerasseq import layers
from recipes.classify_image import __main__ as classify_image
from recipes.classify_image import model as classify_image_model
from recipes.classify_text import __main__ as classify_text
from recipes.forecast import __main__ as forecast
from recipes.shared import command_line
from recipes.tag import __main__ as tag

RECIPES = {
    "classify_image": classify_image,
    "classify_text": classify_text,
    "forecast": forecast,
    "tag": tag,
}
TINY = "--num_examples=200 --epochs=1 --units=4 --embedding_dim=4 --arch=gru"
ROWS = {
    name: sequence_tasks.Row("classify_text", flags, "val_cross_entropy", "accuracy")
    for name, flags in {"last": TINY, "max": f"{TINY} --pooling=max"}.items()
}


@pytest.mark.parametrize("suite", sequence_tasks.SUITES)
def test_the_flags_of_each_row_exist(suite):
    for row in sequence_tasks.SUITES[suite].values():
        flags = RECIPES[row.recipe].define_flags()
        flags(["recipe", *shlex.split(row.flags.format(root="data"))])
        if row.recipe == "classify_image":
            classify_image_model.apply_defaults(flags)
        RECIPES[row.recipe].check(flags)


@pytest.mark.parametrize(
    "task, features", [("ewt", 64 + 32 + 48), ("sst2", 128), ("rows", 28)]
)
def test_pairs_have_as_many_weights(task, features):
    def weights(cell):
        flags = sequence_tasks.SUITES["gru_lstm"][f"{task}_{cell}"].flags
        units = int(re.search(r"--units=(\d+)", flags)[1])
        layer = layers.StackedRNN(units, cell=cell)
        layer.build((None, 5, features))
        return layer.count_params()

    assert weights("gru") == pytest.approx(weights("lstm"), rel=0.01)


def run(folder, *arguments):
    arguments = [f"--output={folder}/tasks.json", *arguments]
    arguments += [f"--work_dir={folder}/work", "--suites=tiny"]
    flags = sequence_tasks.define_flags()
    return command_line.run(sequence_tasks.main, flags, "", arguments)


@pytest.mark.slow
def test_rows_are_added_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sequence_tasks.SUITES, "tiny", ROWS)
    assert run(tmp_path, "--rows=last") == 0
    (first,) = json.loads((tmp_path / "tasks.json").read_text())["rows"]
    assert first["name"] == "last" and first["epochs"] == first["best_epoch"] == 1
    assert 0 <= first["test"] <= 1 and first["seconds_per_epoch"] > 0
    assert str(tmp_path) not in first["command"]
    assert run(tmp_path) == 0
    kept, added = json.loads((tmp_path / "tasks.json").read_text())["rows"]
    assert kept == first and added["name"] == "max"
    assert "| max | " in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("--suites=glue", "--suites=glue"),
        ("--rows=cnn,rnn", "--rows=cnn,rnn"),
    ],
)
def test_bad_flags(arguments, message, tmp_path, capsys):
    given = [f"--output={tmp_path}/tasks.json", arguments]
    flags = sequence_tasks.define_flags()
    assert command_line.run(sequence_tasks.main, flags, "", given) == 2
    assert message in capsys.readouterr().err


def test_a_run_that_fails_is_told(tmp_path, monkeypatch, capsys):
    bad = sequence_tasks.Row("classify_text", "--arch=rnn", "", "")
    monkeypatch.setitem(sequence_tasks.SUITES, "tiny", {"bad": bad})
    assert run(tmp_path) == 2
    assert "The run of bad ended with code 2" in capsys.readouterr().err
    assert not (tmp_path / "tasks.json").exists()
