"""Accuracy against the number of images: a tiny run, resumed and drawn."""

import json

import numpy as np
import pytest

from benchmarks import data_size
from kerasseq import data
from recipes.shared import command_line

TINY = "--widths=4,8 --learning_rate=0.01 --rotation=0 --shift=0 --zoom=0"


def run(folder, *arguments):
    arguments = ["--data=synthetic", "--archs=cnn", "--epochs=1", *arguments]
    arguments += [f"--output={folder}/data_size.json", f"--work_dir={folder}/work"]
    arguments += [f"--recipe_flags={TINY}"]
    return command_line.run(data_size.main, data_size.define_flags(), "", arguments)


def cells(folder):
    return json.loads((folder / "data_size.json").read_text())["cells"]


@pytest.mark.slow
def test_cells_are_added_and_kept(tmp_path, capsys):
    assert run(tmp_path, "--fractions=0.1") == 0
    (first,) = cells(tmp_path)
    assert (first["arch"], first["images"]) == ("cnn", 126)
    assert first["steps_per_epoch"] == 1258 // 64  # as with all of the images
    assert 0 <= first["accuracy"] <= 1 and first["training"]["epochs"] == 1
    picture = (tmp_path / "data_size.png").read_bytes()
    assert picture[:4] == b"\x89PNG"

    assert run(tmp_path, "--fractions=0.1,1.0") == 0
    kept, added = cells(tmp_path)
    assert kept == first
    assert (added["images"], added["steps_per_epoch"]) == (1258, 1258 // 64)
    assert "| 1,258 | CNN |" in capsys.readouterr().out
    assert (tmp_path / "data_size.png").read_bytes() != picture

    assert run(tmp_path, "--fractions=0.1", "--epochs=2") == 2
    assert "other settings" in capsys.readouterr().err
    assert len(cells(tmp_path)) == 2


def test_images_are_repeated():
    images = data.LabeledImages(
        "x", ["a", "b"], (np.arange(3), np.array([0, 1, 1])), None, None
    )
    train, labels = data_size._repeated(images, 0.4).train
    assert train.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert labels.tolist() == [0, 1, 1, 0, 1, 1, 0, 1]


@pytest.mark.parametrize("flag", ["--fractions=2", "--fractions=x", "--archs=mlp"])
def test_bad_flags(tmp_path, capsys, flag):
    assert run(tmp_path, flag) == 2
    assert capsys.readouterr().err.startswith("error: ")
