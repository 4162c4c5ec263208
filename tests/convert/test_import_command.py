"""The command `kerasseq import`."""

import json

import keras

from kerasseq import cli


def test_imports(keras2_files, tmp_path, capsys):
    old, new = keras2_files / "nested.h5", tmp_path / "new.keras"
    report = tmp_path / "report.json"
    arguments = ["import", old, "--out", new, "--example", old.with_suffix(".npz")]
    assert cli.main([str(x) for x in [*arguments, "--report", report]]) == 0
    printed = capsys.readouterr().out
    assert "Functional" in printed.splitlines()[1]
    assert "inner/dense" in printed
    assert "Compared with 2 stored outputs: largest difference" in printed
    assert f"Written: {new}" in printed
    keras.saving.load_model(new)
    assert json.loads(report.read_text())["format"] == "h5"


def test_says_that_nothing_was_compared(keras2_files, tmp_path, capsys):
    old, new = keras2_files / "gru.keras", tmp_path / "new.keras"
    assert cli.main(["import", str(old), "--out", str(new)]) == 0
    assert "so none were compared" in capsys.readouterr().out


def test_own_class(keras2_files, tmp_path, monkeypatch, capsys):
    (tmp_path / "own_module.py").write_text(
        "from tests.convert.test_keras2_refusals import Scale\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    old, new = keras2_files / "own_layer.h5", tmp_path / "new.keras"
    arguments = ["import", str(old), "--out", str(new)]
    assert cli.main(arguments) == 2
    assert "of class Scale" in capsys.readouterr().err
    assert cli.main([*arguments, "--custom=own_module:Missing"]) == 2
    assert "Name your own code as `package.module:name`" in capsys.readouterr().err
    assert not new.exists()
    assert cli.main([*arguments, "--custom=own_module:Scale"]) == 0
    assert new.exists()


def test_bad_file(tmp_path, capsys):
    old, new = tmp_path / "old.h5", tmp_path / "new.keras"
    old.write_bytes(b"no model")
    assert cli.main(["import", str(old), "--out", str(new)]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: Only model files of Keras 2")
    assert len(message.splitlines()) == 1
    assert not new.exists()
