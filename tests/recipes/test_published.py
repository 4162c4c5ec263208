"""The published files: they hold all that they need, and score what their cards say."""

import json
import pathlib

import bare_process
import pytest

from kerasseq import lite
from kerasseq.lite import packed_files
from recipes.shared import exported_file, publish

ROOT = pathlib.Path(__file__).parents[2]
PUBLISHED = {  # the class that opens the file, and the smallest score
    "translate": (lite.Translator, 0.95),
    "generate": (lite.TextGenerator, None),
    "tag": (lite.Tagger, 0.99),
    "classify_text": (lite.TextClassifier, 0.98),
    "forecast": (lite.Forecaster, None),
    "caption": (lite.Captioner, 0.97),
    "classify_image": (lite.ImageClassifier, 0.95),
    "classify_fashion_mnist": (lite.ImageClassifier, 0.9),
    "segment": (lite.ImageSegmenter, 0.9),
    "segment_nuclei": (lite.ImageSegmenter, 0.7),
}


@pytest.fixture(params=PUBLISHED)
def name(request):
    return request.param


def published(name):
    """The file and its card."""
    folder = exported_file.PUBLISHED / name
    path = exported_file.in_folder(folder)
    assert path is not None, f"{folder} holds no exported file"
    return path, json.loads((folder / publish.CARD).read_text())


def test_small_and_whole(name):
    path, card = published(name)
    files = {item.name: item.stat().st_size for item in path.parent.iterdir()}
    pictures = {item for item in files if item.endswith(".png")}
    assert files.keys() - pictures == {path.name, publish.CARD, publish.HISTORY}
    assert sum(files.values()) <= publish.MAX_BYTES
    assert (card["file"], card["bytes"]) == (path.name, files[path.name])
    packed = json.loads(packed_files.read(path, publish.CARD))
    assert packed["metrics"] == card["metrics"]
    assert packed["settings"] == card["settings"]
    opened = PUBLISHED[name][0](path)
    assert opened.card == packed


def test_all_are_small_together():
    files = exported_file.PUBLISHED.glob("*/*.tflite")
    assert sum(path.stat().st_size for path in files) <= 2 * publish.MAX_BYTES


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * name.endswith("fashion_mnist"))
        for name in PUBLISHED
    ],
)
def test_scores_what_its_card_says(name, monkeypatch):
    monkeypatch.chdir(ROOT)  # where the command on the card was run
    path, card = published(name)
    flags = publish.run_flags(card)
    for place in (flags.data, flags.data_dir):
        if "/" in (place or "") and not pathlib.Path(place).exists():
            pytest.skip(f"{place} is not there")
    expected = card["check"]
    found = publish.score(path)
    assert {**found, "value": None} == {**expected, "value": None}
    assert found["value"] == pytest.approx(expected["value"], abs=expected["tolerance"])
    if name not in ("translate", "generate"):  # there the rows are the whole split
        assert card["metrics"][found["metric"]] == pytest.approx(
            found["value"], abs=expected["tolerance"]
        )
    lowest = PUBLISHED[name][1]
    assert lowest is None or found["value"] >= lowest


COMMANDS = {
    "translate": ("--translate", "Thursday, May 4, 1995"),
    "generate": ("--prompt", "The for statement"),
    "classify_text": ("--classify", "The soup was not bad."),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_answers_at_once_without_training(name):
    out, seconds = bare_process.run(f"recipes.{name}", *COMMANDS[name])
    assert out.strip()
    assert seconds < 5
