"""The picture of several runs' scores."""

import pytest

from benchmarks import curves
from recipes.shared import command_line


def run(*arguments):
    return command_line.run(curves.main, curves.define_flags(), "", list(arguments))


@pytest.fixture
def folder(tmp_path):
    text = "epoch,seconds,val_loss\n1,30,3.0\n2,60,1.5\n3,30,2.0\n"
    (tmp_path / "history.csv").write_text(text)
    return tmp_path


def test_points(folder):
    assert curves.read(folder, "val_loss", False) == ([1, 2, 3], [3.0, 1.5, 2.0])
    assert curves.read(folder, "val_loss", True)[0] == [0.5, 1.5, 2.0]


def test_picture(folder, capsys):
    output = folder / "curves.png"
    runs = f"--runs=A={folder},B={folder}"
    assert run(runs, "--score=val_loss", f"--output={output}", "--minutes") == 0
    assert output.read_bytes()[:4] == b"\x89PNG"
    printed = capsys.readouterr().out
    assert "B: lowest 1.5000, after 1.5 of 2 minutes of training" in printed


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "Pass --runs"),
        (["--runs={folder}"], "NAME=FOLDER"),
        (["--runs=A={folder}", "--score=val_bleu"], "no column 'val_bleu'"),
        (["--runs=A={folder}/x"], "Cannot read"),
    ],
)
def test_bad_flags(folder, arguments, message, capsys):
    given = [argument.format(folder=folder) for argument in arguments]
    output = folder / "curves.png"
    assert run(*given, f"--output={output}") == 2
    assert message in capsys.readouterr().err
    assert not output.exists()
