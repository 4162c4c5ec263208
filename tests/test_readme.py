"""README and docs: the example runs, and what they name is there."""

import contextlib
import importlib
import importlib.util
import json
import pathlib
import re
import shutil

import keras
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
OTHERS = [ROOT / "saved_models" / "README.md", ROOT / "CHANGELOG.md"]
# All pages but the changelog speak of what is there now.
PAGES = [README, ROOT / "CONTRIBUTING.md", *DOCS]
PACKAGES = "convert data decoding doctor explain export layers lite models ops training"
NAME = re.compile(rf"\b(kerasseq|{PACKAGES.replace(' ', '|')})((?:\.\w+)+)")
SOURCE = "".join(
    path.read_text()
    for folder in ("kerasseq", "recipes", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
)
# Of pip, of Python's web server, and of argparse itself.
FLAGS_OF_OTHERS = {"no-binary", "no-deps", "directory", "help"}

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


def programs():
    return re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def run_program(number, folder):
    """Runs a program as it is written, in a folder; returns its names."""
    found = {}
    with contextlib.chdir(folder):
        exec(compile(programs()[number], "README.md", "exec"), found)
    return found


def test_the_first_program(tmp_path, capsys):
    found = run_program(0, tmp_path)
    assert len(found["source"]) % 32, "the rows should not divide the batch"
    assert (tmp_path / "out" / "report.json").exists()
    assert capsys.readouterr().out.rstrip().endswith("]]]")


def test_the_program_of_an_app(tmp_path):
    published = next((ROOT / "saved_models/published/translate").glob("*.tflite"))
    shutil.copy(published, tmp_path / "model.tflite")
    found = run_program(1, tmp_path)
    assert found["text"] == "Donnerstag, 4. Mai 1995" and len(found["others"]) == 2


def test_the_program_that_converts(tmp_path):
    stock = [keras.layers.LSTM(4, return_sequences=True), keras.layers.Dense(3)]
    tagger = keras.Sequential([keras.Input((5, 2)), *stock])
    tagger.save(tmp_path / "tagger.keras")
    model = run_program(2, tmp_path)["model"]
    model.fit(np.ones((5, 5, 2)), np.zeros((5, 5)), batch_size=2, verbose=0)
    back = keras.saving.load_model(tmp_path / "back.keras")
    assert type(back.layers[0]) is keras.layers.LSTM


def test_all_programs_are_run():
    assert len(programs()) == 3


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 150


def test_figures_of_published_files_are_those_of_their_cards():
    rows = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| ([\w ]+?) ([\d.]+) \| ([\d.]+) MB \|$",
        README.read_text(),
        re.MULTILINE,
    )
    published = ROOT / "saved_models" / "published"
    files = {path.parent.name: path for path in published.glob("*/*.tflite")}
    assert {name for name, *_ in rows} == files.keys()
    for name, metric, value, size in rows:
        card = json.loads((published / name / "card.json").read_text())
        found = card["metrics"][metric.replace(" ", "_")]
        assert value == f"{found:.{len(value.partition('.')[2])}f}"
        assert size == f"{files[name].stat().st_size / 1e6:.2f}"


def test_the_index_lists_all_pages():
    linked = set(links(ROOT / "docs" / "index.md"))
    assert {path.name for path in DOCS} - linked == {"index.md"}
    assert {f"docs/{path.name}" for path in DOCS} - set(links(README)) == {
        "docs/index.md"
    }


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda path: path.name)
def test_links_and_pictures_are_there(page):
    missing = [x for x in links(page) if not (page.parent / x).exists()]
    assert missing == []


@by_page
def test_code_compiles(page):
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(code, page.name, "exec")


@by_page
def test_names_are_there(page):
    assert [name for name in sorted(names(page)) if not resolves(name)] == []


@by_page
def test_files_and_commands_are_there(page):
    text = page.read_text()
    folders = "kerasseq|recipes|benchmarks|tests|docs"
    files = re.findall(rf"`((?:{folders})/[\w/.]+)`", text)
    files = [x for x in files if "NAME" not in x and "PACKAGE" not in x]
    assert [x for x in files if not (ROOT / x).exists()] == []
    modules = set(
        re.findall(r"python -m ((?:recipes|benchmarks|kerasseq)[\w.]+)", text)
    )
    modules -= {"recipes.NAME"}
    assert [x for x in sorted(modules) if not importlib.util.find_spec(x)] == []


@by_page
def test_flags_are_there(page):
    flags = set(re.findall(r"(?<![\w-])--([a-z][a-z_-]*)", page.read_text()))
    missing = [x for x in sorted(flags - FLAGS_OF_OTHERS) if not is_flag(x)]
    assert missing == []


def links(page):
    """The relative links and pictures of a page, without anchors."""
    found = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    return [link for link in found if "://" not in link]


def names(page):
    """Names of the package in code: all in Python blocks, short ones in spans too."""
    text = page.read_text()
    found = set()
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        found |= {x.group() for x in NAME.finditer(block) if x.group(1) == "kerasseq"}
    for span in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S)):
        found |= {x.group() for x in NAME.finditer(span)}
    return {name for name in found if not name.endswith(".py")}


def resolves(name):
    name = name.removeprefix("kerasseq.")
    found, path = importlib.import_module("kerasseq"), "kerasseq"
    for part in name.split("."):
        path = f"{path}.{part}"
        if hasattr(found, part):
            found = getattr(found, part)
        elif importlib.util.find_spec(path):
            found = importlib.import_module(path)
        else:
            return False
    return True


def is_flag(name):
    forms = [name, name.removeprefix("no")]
    return any(f'"{form}"' in SOURCE or f'"--{form}"' in SOURCE for form in forms)
