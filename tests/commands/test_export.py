"""`kerasseq export`: files from a model's file, and one message for bad input."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasseq import cli, lite
from kerasseq.commands import custom_objects


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The path of a stock model that leaves its length open."""
    keras.utils.set_random_seed(0)
    x = keras.Input((None, 8), name="x")
    y = keras.layers.Dense(32)(keras.layers.GRU(32, name="gru")(x))
    path = tmp_path_factory.mktemp("model") / "model.keras"
    keras.Model(x, y).save(path)
    return path


def rows(path, name="x"):
    values = np.random.default_rng(0).normal(size=(6, 5, 8)).astype("float32")
    np.savez(path, **{name: values})
    return path


def test_all_files(model, tmp_path, capsys):
    data = rows(tmp_path / "rows.npz")
    out = tmp_path / "out"
    arguments = ["export", model, "--out", out, "--input_shape", "x=5,8"]
    arguments += ["--quantize", "dynamic", "--samples", data, "--batch_size", "2"]
    assert cli.main(map(str, arguments)) == 0
    report = json.loads((out / "report.json").read_text())
    names = ["model.tflite", "model_dynamic.tflite", "saved_model"]
    assert [item["file"] for item in report["artifacts"]] == names
    assert report["artifacts"][0]["parity"]["serve"]["samples"] == 3
    assert (out / "report.html").read_text().startswith("<!DOCTYPE html>")
    progress, shown = capsys.readouterr().out.split("file  ")
    assert [line[:6] for line in progress.splitlines()] == [
        f"{part} of 4" for part in (1, 2, 3, 4)
    ]
    assert all(name in shown for name in names)
    x = np.load(data)["x"][:2]
    found = lite.Runner(out / "model.tflite").run(x=x)
    expected = keras.saving.load_model(model)(x)
    np.testing.assert_allclose(next(iter(found.values())), expected, atol=1e-5)


def test_tolerance(tmp_path, capsys):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(64, "tanh"), keras.layers.Dense(1)]
    keras.Sequential([keras.Input((9,), name="x"), *layers]).save(tmp_path / "m.keras")
    arguments = ["export", tmp_path / "m.keras", "--out", tmp_path / "out"]
    assert cli.main(map(str, [*arguments, "--tolerance", "-1"])) == 2
    assert "wanted tolerance=-1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_signatures_of_a_function(model, tmp_path, monkeypatch):
    text = (
        "def make(model):\n"
        "    def last(x):\n"
        "        return {'y': model(x)[:, :3]}\n"
        "    return {'last': (last, {'x': ((1, 4, 8), 'float32')})}\n"
    )
    (tmp_path / "mine.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    out = str(tmp_path / "out")
    arguments = ["export", str(model), "--out", out, "--signature", "mine:make"]
    assert cli.main(arguments) == 0
    assert list(lite.Runner(f"{out}/model.tflite").signatures) == ["last"]


def test_own_class(tmp_path, monkeypatch, capsys):
    (tmp_path / "my_layers.py").write_text(
        "import keras\n\n\n"
        "class Triple(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        "        return 3 * x\n"
    )
    monkeypatch.chdir(tmp_path)
    triple = custom_objects.find("my_layers:Triple")
    keras.Sequential([keras.Input((2,), name="x"), triple()]).save("own.keras")
    assert cli.main(["export", "own.keras", "--out", "out"]) == 2
    assert "need --custom" in capsys.readouterr().err
    arguments = ["--out", "out", "--custom", "my_layers:Triple"]
    assert cli.main(["export", "own.keras", *arguments]) == 0
    (tripled,) = lite.Runner("out/model.tflite").run(x=np.float32([[1, 2]])).values()
    np.testing.assert_allclose(tripled, [[3, 6]])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "'x' has a size that is not fixed"),
        (["--input_shape", "x=5"], "must fit the model's inputs"),
        (["--input_shape", "x:5"], "NAME=SIZE"),
        (["--signature", "translation:5"], "translation:32,32"),
        (["--signature", "nothing"], "module:function"),
        (["--quantize", "int4"], "out of"),
        (["--quantize", "int8"], "add --representative FILE"),
        (["--float_layers", "gru*"], "add int8 to --quantize"),
        (["--samples", "missing.npz", "--input_shape", "x=5,8"], "missing.npz"),
        (["--custom", "no_such_module"], "no_such_module"),
    ],
)
def test_bad_arguments(arguments, message, model, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli.main(["export", str(model), "--out", str(out), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ")
    assert not out.exists()


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no model"])
def test_bad_files(content, tmp_path, capsys):
    path = tmp_path / "bad.keras"
    if content is not None:
        path.write_bytes(content)
    assert cli.main(["export", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "bad.keras" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_help_costs_no_tensorflow():
    code = "import sys; from kerasseq import cli\n"
    code += "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def start(model, out, **options):
    command = [sys.executable, "-m", "kerasseq.cli", "export", str(model)]
    command += ["--out", str(out), "--input_shape", "x=5,8"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **streams, **options)


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def earlier(tmp_path):
    """A folder with an earlier export, of another model."""
    folder = tmp_path / "out"
    folder.mkdir()
    for name in ("model.tflite", "report.json"):
        (folder / name).write_text("earlier")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [4, 8, 12, 16])
def test_a_killed_export_leaves_the_earlier_one(seconds, model, earlier):
    before = contents(earlier)
    with start(model, earlier) as process:
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    after = contents(earlier)
    whole = {"model.tflite", "report.json", "report.html", "saved_model.pb"}
    done = whole <= after.keys() and b"earlier" not in after.values()
    assert after == before or done


@pytest.mark.slow
def test_a_full_disk_is_reported(model, earlier):
    """A limit on the size of files stands for the disk."""
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    before = contents(earlier)
    with start(model, earlier, preexec_fn=limit) as process:
        _, error = process.communicate(timeout=120)
    assert process.returncode == 2, error
    assert error.splitlines()[-1].startswith("error: The export failed")
    assert contents(earlier) == before
    assert [path.name for path in earlier.parent.iterdir()] == ["out"]
