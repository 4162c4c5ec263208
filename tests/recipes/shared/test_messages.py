"""Errors in the terms of a command, and that none ends in a traceback."""

import errno
import os
import signal

import pytest

from recipes.shared import command_line, messages


def flags(*arguments):
    made = command_line.new_flags("demo", epochs=1, batch_size=2)
    define = command_line.definer(made, "data")
    define("string", "image_size", None, "Own flag.")
    define("integer", "vocab_size", 10, "Own flag.", **command_line.COUNT)
    define("float", "clip_global_norm", 1.0, "Own flag.")
    return made


@pytest.mark.parametrize(
    "message, expected",
    [
        ("pass `image_size=(height, width)`", "pass --image_size"),
        ("`data` is a path", "--data is a path"),
        ("clip (`global_clipnorm=1.0`)", "clip (--clip_global_norm=1.0)"),
        ("Received: vocabulary_size=9, x=1", "Received: --vocab_size=9, x=1"),
        ("`from` `masks` data='a/b'", "--from `masks` --data='a/b'"),
        ("KERAS_BACKEND=jax, a/epochs=3", "KERAS_BACKEND=jax, a/epochs=3"),
    ],
)
def test_arguments_become_flags(message, expected):
    assert messages.in_flags(ValueError(message), flags()) == expected


@pytest.mark.parametrize(
    "error, message",
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "No space left"),
        (ImportError("No module named 'torch'"), "torch"),
        (MemoryError(), "Not enough memory"),
        (type("ResourceExhaustedError", (Exception,), {})("OOM\nNode"), "memory"),
        (RuntimeError("The conversion was killed by signal 9"), "--debug"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "utf-8"),
    ],
)
def test_faults_of_the_machine_are_one_message(error, message, capsys):
    def main(flags):
        raise error

    assert command_line.run(main, flags(), "", []) == 2
    written = capsys.readouterr().err
    assert written.startswith("error: ") and message in written
    with pytest.raises(type(error)):
        command_line.run(main, flags(), "", ["--debug"])


def test_our_own_faults_keep_their_traceback():
    def main(flags):
        raise KeyError("ours")

    with pytest.raises(KeyError):
        command_line.run(main, flags(), "", [])


@pytest.mark.parametrize("name", ["numpy", "torch", "nonsense"])
def test_a_backend_that_does_not_train(name, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", name)
    assert command_line.run(command_line.prepare, flags(), "", []) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: Recipes train on one of tensorflow, jax.")
    assert f"Received: KERAS_BACKEND={name}" in error


def test_a_missing_package_is_no_matter_of_the_backend(monkeypatch, capsys):
    def main(flags):
        raise ImportError("`sklearn` is not installed.", name="sklearn")

    def no_jax(flags):
        raise ModuleNotFoundError("No module named 'jax'", name="jax")

    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert command_line.run(main, flags(), "", []) == 2
    assert capsys.readouterr().err == "error: `sklearn` is not installed.\n"
    assert command_line.run(no_jax, flags(), "", []) == 2
    assert "set another KERAS_BACKEND. Received: jax" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_command_and_says_how_to_go_on(name, tmp_path, capsys):
    def main(flags):
        os.kill(os.getpid(), getattr(signal, name))

    given = [f"--output_dir={tmp_path}"]
    code = command_line.run(main, flags(), "", given)
    assert code == 128 + getattr(signal, name)
    assert capsys.readouterr().err.startswith(f"ended by {name}: nothing was saved yet")
    (tmp_path / "run").mkdir()
    (tmp_path / messages.STATE).touch()
    command_line.run(main, flags(), "", given)
    assert "with --resume goes on" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argument", ["--clip_global_norm=nan", "--vocab_size=99999999"]
)
def test_absurd_numbers(argument, capsys):
    assert command_line.run(lambda flags: None, flags(), "", [argument]) == 2
    assert argument.partition("=")[0].strip("-") in capsys.readouterr().err


def test_help_by_topic(capsys):
    assert command_line.run(None, flags(), "The usage.", ["--help"]) == 0
    whole = capsys.readouterr().out
    assert whole.startswith("The usage.")
    order = [whole.index(f"\n{topic}:") for topic in ("use", "data", "training", "run")]
    assert order == sorted(order)
    assert command_line.run(None, flags(), "The usage.", ["--help=data"]) == 0
    part = capsys.readouterr().out
    assert "--image_size" in part and "--epochs" not in part
    assert command_line.run(None, flags(), "", ["--help=weather"]) == 2
    assert "out of use, data, training, export, run" in capsys.readouterr().err
