"""What a recipe leaves behind, and what it takes away."""

from recipes import publishing


def test_quantised_files_of_an_earlier_export_go(tmp_path):
    new, output = tmp_path / "new", tmp_path / "output"
    for folder, names in (
        (new, ["model.tflite", "model_int8.tflite"]),
        (output, ["model.tflite", "model_int8.tflite", "model_float16.tflite", "mine"]),
    ):
        folder.mkdir()
        for name in names:
            (folder / name).write_text(folder.name)
    publishing.publish(new, output, ["model.tflite", "model_int8.tflite"])
    found = {path.name: path.read_text() for path in output.iterdir()}
    assert found == {
        "model.tflite": "new",
        "model_int8.tflite": "new",
        "mine": "output",
    }


def test_the_list_leaves_the_run_out(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "model.tflite").touch()
    publishing.print_folder(tmp_path)
    assert capsys.readouterr().out.splitlines()[2:] == ["  model.tflite"]
