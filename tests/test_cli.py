"""The command `kerasseq` itself; its commands have tests of their own."""

import subprocess
import sys

import pytest

import kerasseq
from kerasseq import cli


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"kerasseq {kerasseq.__version__}\n"


def test_nothing_asked_for(capsys):
    assert cli.main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("usage: kerasseq")
    assert all(name in shown.err for name in cli.COMMANDS)


@pytest.mark.parametrize(
    ("argument", "code", "stream"), [("--help", 0, "out"), ("nothing", 2, "err")]
)
def test_exit_codes(argument, code, stream, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([argument])
    assert ended.value.code == code
    assert "usage: kerasseq" in getattr(capsys.readouterr(), stream)


def test_as_a_module():
    command = [sys.executable, "-m", "kerasseq.cli", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "kerasseq 0.1.0\n"
