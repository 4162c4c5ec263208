"""What `--web` writes, whole or not at all, and what it refuses."""

import json
import re

import browser
import numpy as np
import pytest
from PIL import Image

from recipes.caption import __main__ as caption
from recipes.classify_image import __main__ as classify_image
from recipes.classify_text import __main__ as classify_text
from recipes.forecast import __main__ as forecast
from recipes.segment import __main__ as segment
from recipes.shared import command_line, web_library, web_page
from recipes.tag import __main__ as tag
from recipes.translate import __main__ as translate
from tests.lite import hand_made

RECIPES = {
    "caption": caption,
    "classify_image": classify_image,
    "classify_text": classify_text,
    "forecast": forecast,
    "segment": segment,
    "tag": tag,
    "translate": translate,
}
IMAGES = np.arange(2 * 4 * 4, dtype="uint8").reshape(2, 4, 4, 1)
OF_IMAGES = ("caption", "classify_image", "segment")
SAMPLES = {x: IMAGES if x in OF_IMAGES else ["One.", "Two."] for x in RECIPES}


@pytest.fixture
def library(tmp_path):
    return web_library.find(browser.fake_library(tmp_path / "library"))


@pytest.fixture
def model(tmp_path):
    """Files with the names of an export's, beside a small model."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "labels.json").write_text('["none", "cell"]')
    for name in ("vocabulary.json", "series.json"):
        (folder / name).write_text("{}")
    return hand_made.classifier(folder / "model.tflite")


def files(folder):
    return {str(x.relative_to(folder)) for x in folder.rglob("*") if x.is_file()}


@pytest.mark.parametrize("task", RECIPES)
def test_every_file_that_the_page_names_is_there(task, library, model, tmp_path):
    page = tmp_path / "web"
    web_page.write(page, task, model, library, SAMPLES[task])
    facts = json.loads((page / "page.json").read_text())
    named = {"index.html", "page.json"} | {f"litert/{x}" for x in web_library.FILES}
    text = "".join(x.read_text() for x in [*page.glob("*.html"), *page.glob("*.js")])
    named |= set(re.findall(r"""(?:href|src)="(\w[^":]*)["]""", text))
    named |= {name.removeprefix("./") for name in re.findall(r'"(\./[^"]+)"', text)}
    named |= set(re.findall(r"from '\./([^']+)'", text))
    named |= set(re.findall(r"(?:read|loadModel)\('([^']+)'", text))
    if task in OF_IMAGES:
        named |= set(facts["samples"])
        sample = np.array(Image.open(page / "sample_2.png"))
        np.testing.assert_array_equal(sample, np.repeat(IMAGES[1], 3, axis=-1))
    assert files(page) == named
    assert ("colors" in facts) == (task == "segment")


def test_an_error_leaves_the_earlier_page(library, model, tmp_path):
    page = tmp_path / "web"
    web_page.write(page, "translate", model, library, ["An earlier one."])
    before = files(page)
    earlier = model.read_bytes()
    model.write_bytes(earlier + b"another")
    (library / web_library.FILES[-1]).unlink()
    with pytest.raises(FileNotFoundError):
        web_page.write(page, "translate", model, library, ["A later one."])
    assert files(page) == before
    assert (page / "model.tflite").read_bytes() == earlier
    assert json.loads((page / "page.json").read_text())["samples"] == [
        "An earlier one."
    ]


@pytest.mark.parametrize("task", RECIPES)
def test_without_the_library_nothing_is_begun(task, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    values = RECIPES[task].define_flags()
    arguments = ["--web", f"--output_dir={tmp_path / 'output'}"]
    assert command_line.run(RECIPES[task].main, values, "", arguments) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("error: --web needs @litertjs/core@")
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("task", RECIPES)
def test_of_a_model_that_is_not_there(task, library, tmp_path, capsys):
    values = RECIPES[task].define_flags()
    arguments = ["--web", f"--web_library={library.parents[1]}"]
    arguments += [f"--from={tmp_path / 'absent'}"]
    assert command_line.run(RECIPES[task].main, values, "", arguments) == 2
    assert "absent" in capsys.readouterr().err
