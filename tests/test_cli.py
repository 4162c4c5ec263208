"""The command `kerasseq` itself; its commands have tests of their own."""

import errno
import os
import signal
import subprocess
import sys

import pytest

import kerasseq
from kerasseq import cli
from kerasseq.commands import doctor


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


def test_a_signal_ends_a_command_with_a_message(monkeypatch, capsys):
    def killed(arguments):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(doctor, "run", killed)
    assert cli.main(["doctor", "a.tflite"]) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "ended by SIGTERM; run it again\n"


def test_a_full_disk_is_one_message(monkeypatch, capsys):
    def full(arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "out")

    monkeypatch.setattr(doctor, "run", full)
    assert cli.main(["doctor", "a.tflite"]) == 2
    assert "No space left on device: 'out'" in capsys.readouterr().err
