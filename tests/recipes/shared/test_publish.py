"""What is published of a run, and what is refused."""

import json
import types

import keras
import numpy as np
import pytest

from kerasseq import export, lite
from kerasseq.lite import packed_files
from recipes.shared import artifacts, command_line, publish

CARD = {
    "task": "classify_image",
    "command": "python -m recipes.classify_image --arch cnn --test_fraction=0.2",
    "settings": {"widths": ["4"], "seed": 3, "data": "0123", "epochs": 7},
    "metrics": {"accuracy": 0.1},
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model of digits that was never trained."""
    folder = tmp_path_factory.mktemp("exported")
    image = keras.Input((8, 8, 1))
    logits = keras.layers.Dense(10)(keras.layers.Flatten()(image))
    signatures = export.image_signature((8, 8, 1))
    export.export_model(keras.Model(image, logits), folder, signatures=signatures)
    return folder / "model.tflite"


@pytest.fixture
def folder(exported, tmp_path):
    folder = tmp_path / "digits"
    folder.mkdir()
    for name in ("model.tflite", "model_int8.tflite"):
        (folder / name).write_bytes(exported.read_bytes())
        labels = artifacts.json_bytes([str(digit) for digit in range(10)])
        card = artifacts.json_bytes(CARD | {"file": name})
        files = {"labels.json": labels, "card.json": card}
        packed_files.pack(folder / name, files)
    (folder / "history.csv").write_text("epoch\n1\n")
    return folder


def run(folder, *arguments):
    return command_line.run(
        lambda flags: publish.main(flags, folder),
        publish.define_flags(),
        "",
        [str(x) for x in arguments],
    )


def test_card_curve_and_one_file(folder, tmp_path):
    target = tmp_path / "published" / "digits"
    assert run(folder, f"--to={target}", "--file=model_int8.tflite") == 0
    names = {path.name for path in target.iterdir()}
    assert names == {"card.json", "history.csv", "model_int8.tflite"}
    card = json.loads((target / "card.json").read_text())
    path = target / "model_int8.tflite"
    assert card["file"] == path.name and card["bytes"] == path.stat().st_size
    assert card["check"] == publish.score(path)
    assert card["check"]["rows"] == 359 and card["check"]["metric"] == "accuracy"
    assert 0 <= card["check"]["value"] <= 1


def test_flags_of_a_run_come_back(folder):
    flags = publish.run_flags(publish.read_card(folder / "model.tflite"))
    assert (flags.arch, flags.seed, flags.epochs) == ("cnn", 3, 7)
    assert (flags.widths, flags.data) == (["4"], "synthetic")


def test_the_score_is_that_of_a_device(folder):
    path = folder / "model.tflite"
    classifier = lite.ImageClassifier(path)
    from recipes.classify_image import data, evaluate

    flags = publish.run_flags(publish.read_card(path))
    images, labels = data.load_images(flags).test
    found = [classifier(image).argmax() for image in images[:20]]
    expected = np.mean(found == labels[:20])
    assert evaluate.published_score(path, flags, 20)["value"] == expected


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda folder: packed_files.pack(folder / "model.tflite", {}), "card.json"),
        (lambda folder: (folder / "model.tflite").unlink(), "has no file model.tflite"),
        (lambda folder: (folder / "history.csv").unlink(), "has no history.csv"),
        (
            lambda folder: (folder / "history.csv").write_text("x" * 5_000_000),
            "At most 4,000,000 bytes",
        ),
    ],
)
def test_refused(folder, tmp_path, capsys, change, message):
    change(folder)
    target = tmp_path / "published"
    assert run(folder, f"--to={target}", "--file=model.tflite") == 2
    assert message in capsys.readouterr().err
    assert not target.exists()


def test_card_of_each_file():
    report = {"task": "demo", "data": "x", "training": {}}
    names = ("file", "precision", "metrics", "latency_ms", "max_abs_diff")
    artifact = types.MappingProxyType(dict.fromkeys(names, 1) | {"ops": {}})
    found = artifacts.card(report, artifact, {"command": "c", "settings": {}})
    assert "ops" not in found and set(names) < found.keys()
