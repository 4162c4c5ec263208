"""Which exported file is used: that of --from, of the own run, or the published one."""

import pytest

from recipes.shared import command_line, exported_file, file_input


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A published file `demo`, seen from an empty working folder."""
    monkeypatch.setattr(exported_file, "PUBLISHED", tmp_path / "published")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return touch(tmp_path / "published" / "demo" / "model_int8.tflite")


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def parsed(*arguments):
    flags = command_line.new_flags("demo", epochs=1, batch_size=1)
    flags(["demo", *map(str, arguments)])
    return flags


def test_the_published_file_until_there_is_a_run(published, tmp_path, capsys):
    assert exported_file.find(parsed(), "demo") == published
    assert capsys.readouterr().err == "Using ../published/demo/model_int8.tflite\n"
    own = touch(tmp_path / "work" / "saved_models" / "demo" / "model.tflite")
    touch(own.with_name("model_int8.tflite"))
    found = exported_file.find(parsed("--output_dir=elsewhere"), "demo")
    assert found.resolve() == own
    assert capsys.readouterr().err == "Using saved_models/demo/model.tflite\n"


def test_the_one_that_is_named(published, tmp_path, capsys):
    other = touch(tmp_path / "other" / "a.tflite")
    for given in (other, other.parent):
        assert exported_file.find(parsed(f"--from={given}"), "demo") == other
    absent = tmp_path / "absent"
    found = exported_file.find(parsed(f"--from={absent}"), "demo")
    assert found == absent  # which the reader misses
    assert capsys.readouterr().err == ""


def test_without_any(published):
    with pytest.raises(ValueError, match="saved_models/none.*published/none.*recipes"):
        exported_file.find(parsed("--output_dir=saved_models/none"), "none")


def test_nothing_is_written_beside_a_published_file(published, tmp_path):
    folder = file_input.output_folder(parsed(), published, "predictions")
    assert str(folder) == "saved_models/demo/predictions"
    own = touch(tmp_path / "own" / "model.tflite")
    assert file_input.output_folder(parsed(), own) == own.parent
    folder = file_input.output_folder(parsed("--output_dir=out"), own, "predictions")
    assert str(folder) == "out"
