"""The image classification recipe: tiny runs, the use of their files, bad input."""

import csv
import json
import pathlib

import bare_process
import browser
import keras
import killed_recipe
import numpy as np
import pytest
from PIL import Image
from scipy import special

from kerasseq import lite
from kerasseq.lite import packed_files
from recipes.classify_image import __main__ as classify_image
from recipes.classify_image import model as classify_image_model
from recipes.shared import command_line

ARTIFACTS = (
    "saved_model",
    "model.tflite",
    "model.keras",
    "history.csv",
    "report.json",
    "report.html",
    "card.json",
)
TINY = ["--epochs=2", "--limit=100", "--hidden_dim=32", "--num_layers=1"]
TINY += ["--num_heads=2", "--mlp_dim=48", "--warmup_steps=2", "--monitor=accuracy"]
ROWS_OF_DIGITS = 0.95  # 0.969 was measured
COLORS = {"blue": (0, 0, 255), "green": (0, 255, 0), "red": (255, 0, 0)}


def run(*arguments):
    flags = classify_image.define_flags()
    return command_line.run(classify_image.main, flags, "", [str(x) for x in arguments])


def read(path):
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The result of a tiny run of the Vision Transformer on digits."""
    folder = tmp_path_factory.mktemp("classify_image")
    library = browser.fake_library(tmp_path_factory.mktemp("library"))
    arguments = [
        "--quantize=int8",
        "--tensorboard",
        "--web",
        f"--web_library={library}",
    ]
    assert run(*TINY, f"--output_dir={folder}", *arguments) == 0
    return folder


def paint(folder, num=12, size=(14, 10)):
    """A folder of noisy images for each of three colors."""
    generator = np.random.default_rng(0)
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True)
        for number in range(num):
            image = generator.normal(color, 60, (*size, 3)).clip(0, 255)
            image = Image.fromarray(image.astype("uint8"))
            image.save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def colors(tmp_path_factory):
    return paint(tmp_path_factory.mktemp("colors") / "data")


@pytest.fixture(scope="module")
def cnn(tmp_path_factory, colors):
    """The result of a tiny run of the CNN on the colors, with all the trimmings."""
    folder = tmp_path_factory.mktemp("cnn")
    trimmings = ["--mixup=0.2", "--cutmix=0.5", "--class_weights", "--erase=0.5"]
    trimmings += ["--flip=both", "--brightness=0.1", "--contrast=0.1", "--ema=0"]
    trimmings += ["--quantize=", "--input_size=20x28", "--noembed_files"]
    code = run(
        *("--arch=cnn", "--widths=8", f"--data={colors}", f"--output_dir={folder}"),
        *("--batch_size=8", "--epochs=30", "--learning_rate=0.02", *trimmings),
    )
    assert code == 0
    return folder


@pytest.fixture(scope="module")
def permuted(tmp_path_factory):
    """The result of a tiny run of a GRU on the pixels of digits, in another order."""
    folder = tmp_path_factory.mktemp("permuted")
    code = run(
        *("--arch=gru", "--as_sequence=permuted", "--units=32", "--epochs=2"),
        *("--limit=100", "--quantize=dynamic", f"--output_dir={folder}"),
    )
    assert code == 0
    return folder


def test_everything_is_written(folder):
    for name in (*ARTIFACTS, "model_int8.tflite"):
        assert (folder / name).exists(), name
    for name in ("confusion.png", "worst.png", "heat.png"):
        assert (folder / name).read_bytes()[:4] == b"\x89PNG"
    assert not [*folder.parent.glob(f".{folder.name}*")]
    assert [*folder.glob("run/tensorboard/train/events*")]
    assert len(read(folder / "web" / "page.json")["samples"]) == 6
    assert not (folder / "labels.json").exists()
    for path in folder.glob("*.tflite"):
        assert {*packed_files.names(path)} == {"labels.json", "card.json"}
        classifier = lite.ImageClassifier(path)
        assert classifier.class_names == [str(digit) for digit in range(10)]


def test_report(folder):
    report = read(folder / "report.json")
    assert report["task"] == "classify_image" and report["data"] == "synthetic"
    scores = {"accuracy", "top_5_accuracy", "macro_f1", "cross_entropy"}
    assert scores | {"calibration_error", "recall_by_class"} == report["metrics"].keys()
    assert report["training"]["compiles"] == 2
    tflite, int8, saved_model = report["artifacts"]
    assert tflite["file"] == "model.tflite" and tflite["signatures"] == ["serve"]
    assert tflite["flex_ops"] == tflite["custom_ops"] == []
    assert tflite["dynamic_shapes"] is False and tflite["max_abs_diff"] <= 1e-4
    assert tflite["metrics"]["agreement"] == 1
    assert tflite["metrics"]["accuracy"] == report["metrics"]["accuracy"]
    assert int8["file"] == "model_int8.tflite" and int8["metrics"]["agreement"] > 0.8
    assert saved_model["metrics"] == {}
    card = read(folder / "card.json")
    assert card["settings"]["hidden_dim"] == 32
    assert card["bytes"]["model.tflite"] == (folder / "model.tflite").stat().st_size
    packed = lite.ImageClassifier(folder / "model_int8.tflite").card
    assert packed["metrics"] == int8["metrics"] != card["metrics"]
    assert (packed["file"], packed["precision"]) == ("model_int8.tflite", "int8")
    assert packed["settings"] == card["settings"]


def test_the_rows_that_fill_a_batch_do_not_count_in_the_loss(folder):
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    losses = [float(row["val_loss"]) for row in rows]
    entropies = [float(row["val_cross_entropy"]) for row in rows]
    np.testing.assert_allclose(losses, entropies, rtol=1e-2)


@pytest.mark.slow
def test_a_finished_run_resumes_to_the_same_result(folder, tmp_path, capsys):
    before = read(folder / "report.json")["metrics"]
    history = (folder / "history.csv").read_text()
    arguments = [*TINY, f"--output_dir={folder}", "--quantize="]
    assert run(*arguments, "--resume") == 0
    assert "resumed after epoch 2" in capsys.readouterr().out
    assert read(folder / "report.json")["metrics"] == before
    assert (folder / "history.csv").read_text() == history
    assert not (folder / "model_int8.tflite").exists()  # of another export

    assert run(*arguments, "--resume", "--calibrate") == 0
    report = read(folder / "report.json")
    metrics, in_file = report["metrics"], report["artifacts"][0]["metrics"]
    assert metrics["temperature"] != 1
    assert metrics["calibration_error_before"] == before["calibration_error"]
    error = metrics["calibration_error"]
    assert error != before["calibration_error"]  # too few images to say which is less
    assert in_file["calibration_error"] == pytest.approx(error, abs=1e-4)
    assert metrics["accuracy"] == before["accuracy"]

    assert run(*arguments, "--resume", "--mixup=0.5") == 2
    assert "mixup: 0.2 -> 0.5" in capsys.readouterr().err


def test_folders_colors_and_another_input_size(cnn):
    assert read(cnn / "labels.json") == ["blue", "green", "red"]  # --noembed_files
    assert packed_files.names(cnn / "model.tflite") == []
    report = read(cnn / "report.json")
    assert "top_5_accuracy" not in report["metrics"]
    assert report["metrics"]["accuracy"] == 1
    tflite, _ = report["artifacts"]
    assert tflite["metrics"]["accuracy"] == 1  # of images of another size
    classifier = lite.ImageClassifier(cnn)
    assert classifier.input_shape == (20, 28, 3)
    assert classifier(np.zeros((20, 28, 3), "uint8")).sum() == pytest.approx(1)


def test_classifies_files_without_tensorflow_or_keras(cnn, colors, tmp_path):
    arguments = ("--from", cnn, "--images", colors, "--output_dir", tmp_path)
    out, seconds = bare_process.run("recipes.classify_image", *arguments)
    *lines, written = out.splitlines()
    assert seconds < 5
    assert written == f"Written to {tmp_path / 'predictions.csv'}"
    with open(tmp_path / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(lines) == 36
    assert lines[0].split("\t") == [*rows[0].values()]
    for row in rows:
        assert pathlib.Path(row["image"]).parent.name == row["class"]
        assert 1 / 3 < float(row["probability"]) <= 1


def test_classifies_one_file(cnn, colors, tmp_path, capsys):
    image = colors / "red" / "3.png"
    arguments = ["--from", cnn / "model.tflite", "--output_dir", tmp_path]
    assert run(*arguments, "--images", image) == 0
    assert capsys.readouterr().out.startswith(f"{image}\tred\t")


def test_a_page_and_predictions(cnn, colors, tmp_path, capsys):
    library = browser.fake_library(tmp_path / "library")
    given = ["--web", f"--web_library={library}", "--output_dir", tmp_path / "out"]
    assert run("--from", cnn, "--images", colors / "red", *given) == 0
    assert (tmp_path / "out" / "predictions.csv").exists()
    assert (tmp_path / "out" / "web" / "index.html").exists()


@pytest.mark.slow
def test_a_sequence(permuted):
    report = read(permuted / "report.json")
    metrics, (tflite, dynamic, _) = report["metrics"], report["artifacts"]
    assert tflite["metrics"]["agreement"] == 1
    assert tflite["metrics"]["accuracy"] == metrics["accuracy"]
    assert tflite["flex_ops"] == tflite["custom_ops"] == []
    assert dynamic["file"] == "model_dynamic.tflite"
    assert dynamic["metrics"]["agreement"] > 0.9
    assert (permuted / "heat.png").read_bytes()[:4] == b"\x89PNG"
    settings = read(permuted / "card.json")["settings"]
    chosen = {"as_sequence": "permuted", "pooling": "last", "num_layers": 1}
    assert chosen | {"mixup": 0, "shift": 0} == {
        name: settings[name] for name in [*chosen, "mixup", "shift"]
    }


@pytest.mark.slow
def test_the_order_of_the_pixels_is_in_the_file(permuted):
    model = keras.models.load_model(permuted / "model.keras")
    images = np.random.default_rng(0).integers(0, 256, (4, *model.input_shape[1:]))
    images = images.astype("uint8")
    classifier = lite.ImageClassifier(permuted)
    assert classifier.class_names == [str(digit) for digit in range(10)]
    expected = special.softmax(model.predict(images, verbose=0), axis=-1)
    found = [classifier(image) for image in images]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("arch", ["vit", "cnn", "lstm", "bigru", "transformer", "mlp"])
def test_defaults_fit_the_architecture(arch):
    flags = classify_image.define_flags()
    flags(["recipe", f"--arch={arch}", "--mixup=0.3"])
    classify_image_model.apply_defaults(flags)
    classify_image.check(flags)
    assert flags.mixup == 0.3
    model = classify_image_model.build(flags, (8, 8, 1), 10)
    assert model.output_shape == (None, 10)
    assert flags.quantize[1] == ("int8" if arch in ("vit", "cnn") else "dynamic")


@pytest.mark.slow
def test_rows_of_digits(tmp_path):
    assert run("--arch=gru", f"--output_dir={tmp_path}") == 0
    report = read(tmp_path / "report.json")
    assert report["metrics"]["accuracy"] >= ROWS_OF_DIGITS
    for artifact in report["artifacts"][:3]:
        assert artifact["metrics"]["accuracy"] >= ROWS_OF_DIGITS


def test_bad_images(cnn, colors, tmp_path, capsys):
    (tmp_path / "predictions.csv").write_text("earlier")
    (tmp_path / "empty").mkdir()
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.png").write_bytes((colors / "red" / "0.png").read_bytes())
    (bad / "b.png").write_bytes((colors / "red" / "0.png").read_bytes()[:60])
    cases = {"empty": "No images", "absent": "no file or folder", "bad": "b.png"}
    for name, message in cases.items():
        images = ["--images", tmp_path / name, "--output_dir", tmp_path]
        assert run("--from", cnn, *images) == 2
        assert message in capsys.readouterr().err
    assert (tmp_path / "predictions.csv").read_text() == "earlier"
    assert run("--from", cnn) == 2
    assert "--images" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["model.tflite", "labels.json"])
def test_damaged_files(cnn, colors, tmp_path, capsys, name):
    for item in ("model.tflite", "labels.json"):
        content = (cnn / item).read_bytes()
        content = content[: len(content) // 3] if item == name else content
        (tmp_path / item).write_bytes(content)
    images = ["--images", colors, "--output_dir", tmp_path]
    assert run("--from", tmp_path, *images) == 2
    assert name in capsys.readouterr().err
    (tmp_path / name).unlink()
    assert run("--from", tmp_path, *images) == 2
    assert name in capsys.readouterr().err


def test_labels_of_another_model(cnn, colors, tmp_path, capsys):
    (tmp_path / "model.tflite").write_bytes((cnn / "model.tflite").read_bytes())
    for labels in ('["a", "b"]', '{"a": 1}'):
        (tmp_path / "labels.json").write_text(labels)
        assert run("--from", tmp_path, "--images", colors) == 2
        assert "labels.json" in capsys.readouterr().err


BAD = {
    "--data=absent": "absent",
    "--data=tfds:no_such_set": "no_such_set",
    "--data={one_class}": "at least two",
    "--data={empty_class}": "nothing",
    "--data={corrupt}": "2.png",
    "--image_size=0": "--image_size",
    "--input_size=8by8": "--input_size",
    "--limit=some": "--limit",
    "--limit=3": "limit",
    "--batch_size=5000": "batch_size=5000",
    "--patch_size=3": "patch_size=3",
    "--num_heads=5": "num_heads=5",
    "--size=huge": "size",
    "--size=tiny --mlp_dim=64": "--mlp_dim",
    "--arch=cnn --patch_size=2": "--patch_size",
    "--widths=8": "--widths",
    "--arch=cnn --widths=8,x": "--widths",
    "--arch=rnn": "--arch=rnn",
    "--as_sequence=rows": "--arch=vit, but with mlp, lstm, ",
    "--arch=cnn --as_sequence=pixels": "--as_sequence has no meaning with --arch=cnn",
    "--arch=gru --as_sequence=columns": "as_sequence",
    "--arch=gru --patch_size=2": "--patch_size has no meaning with --arch=gru",
    "--arch=gru --size=tiny": "--size",
    "--arch=gru --num_heads=2": "--num_heads",
    "--arch=gru --pooling=token": "--pooling=token",
    "--pooling=last": "--pooling=last",
    "--units=8": "--units",
    "--noforget_bias": "--forget_bias",
    "--arch=transformer --noforget_bias": "--forget_bias",
    "--arch=bigru --recurrent_initializer=identity": "--arch=bigru",
    "--arch=lstm --as_sequence=pixels --quantize=int8": "--quantize=dynamic",
    "--quantize=int4": "--quantize",
    "--cutmix=2": "cutmix",
    "--epochs=0": "epochs",
    "--output_dir={file}/below": "--output_dir",
    "--unknown=1": "unknown",
    "stray": "stray",
    "--distribute=data": "JAX backend",
}


@pytest.fixture(scope="module")
def bad_data(tmp_path_factory):
    """Folders that no classifier can be trained on."""
    root = tmp_path_factory.mktemp("bad")
    for name in ("empty_class", "corrupt"):
        paint(root / name)
    (root / "empty_class" / "nothing").mkdir()
    broken = root / "corrupt" / "green" / "2.png"
    broken.write_bytes(broken.read_bytes()[:99])
    paint(root / "three")
    (root / "one_class").mkdir()
    (root / "three" / "red").rename(root / "one_class" / "red")
    (root / "file").write_text("a file")
    return {path.name: path for path in root.iterdir()}


@pytest.mark.parametrize("arguments", BAD)
def test_bad_input_to_training(arguments, bad_data, tmp_path, capsys):
    output = tmp_path / "output"
    output.mkdir()
    (output / "report.json").write_text("earlier")
    given = arguments.format(**bad_data).split()
    assert run(f"--output_dir={output}", *given) == 2
    error = capsys.readouterr().err
    assert BAD[arguments] in error
    assert error.startswith("error: ") and "Traceback" not in error
    assert (output / "report.json").read_text() == "earlier"
    assert {path.name for path in output.iterdir()} <= {"report.json", "run"}


def test_patches_by_the_size_of_the_image():
    flags = classify_image.define_flags()
    flags(["recipe"])
    sides = (8, 16, 28, 64, 96, 128, 224)
    sizes = [classify_image_model.patch_size(flags, side) for side in sides]
    assert sizes == [2, 2, 4, 4, 8, 8, 16]


def test_help(capsys):
    assert run("--help") == 0
    assert "--stochastic_depth" in capsys.readouterr().out


@pytest.mark.slow
def test_a_killed_run_ends_where_the_uninterrupted_one_does(tmp_path):
    settings = [*TINY, "--epochs=3", "--mixup=0.2", "--ema=0.9", "--quantize="]
    losses = killed_recipe.losses_of_two_runs("classify_image", run, settings, tmp_path)
    assert len(losses[0]) == 3 and losses[0] == losses[1]
    places = (tmp_path / "whole", tmp_path / "killed")
    metrics = [read(place / "report.json")["metrics"] for place in places]
    assert metrics[0] == metrics[1]
