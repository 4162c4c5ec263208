"""What a recipe leaves behind, and what it takes away."""

import pytest

from recipes.shared import artifacts

NEW = ["model.tflite", "model_int8.tflite", "report.json"]


def fill(folder, names, text):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(text)


def texts(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_quantized_files_and_the_page_of_an_earlier_export_go(tmp_path):
    output = tmp_path / "output"
    beside = ["labels.json", "subwords.model"]
    fill(output, [*NEW, *beside, "model_float16.tflite", "mine"], "old")
    fill(output / "web", ["model.tflite"], "old")
    with artifacts.artifact_dir(output) as folder:
        fill(folder, NEW, "new")
    assert texts(output) == dict.fromkeys(NEW, "new") | {"mine": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


def test_an_error_leaves_the_earlier_export(tmp_path):
    output = tmp_path / "output"
    fill(output, NEW, "old")
    with pytest.raises(ZeroDivisionError), artifacts.artifact_dir(output) as folder:
        fill(folder, NEW, "new")
        1 / 0  # noqa: B018
    assert texts(output) == dict.fromkeys(NEW, "old")
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


def test_the_list_leaves_the_run_out(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "model.tflite").touch()
    artifacts.print_folder(tmp_path)
    assert capsys.readouterr().out.splitlines()[2:] == ["  model.tflite"]
