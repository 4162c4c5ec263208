"""Random data files and folders through the recipes' readers: read, or refused.

A refusal is one message that names the file or a flag, and exit code 2.
"""

import io
import pathlib
import re
import tempfile

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import Image

from recipes.caption import __main__ as caption
from recipes.classify_image import __main__ as classify_image
from recipes.classify_text import __main__ as classify_text
from recipes.forecast import __main__ as forecast
from recipes.generate import __main__ as generate
from recipes.segment import __main__ as segment
from recipes.shared import command_line
from recipes.tag import __main__ as tag
from recipes.translate import __main__ as translate

RECIPES = {
    "translate": (translate, ["--buckets=2"]),
    "spelling": (translate, ["--buckets=2", "--tokenizer=character,word"]),
    "generate": (generate, ["--length=2", "--batch_size=2"]),
    "subwords": (generate, ["--length=2", "--batch_size=2", "--tokens=subwords"]),
    "forecast": (forecast, ["--arch=linear"]),
    "caption": (caption, []),
    "classify_image": (classify_image, []),
    "classify_text": (classify_text, []),
    "labeled_folders": (classify_text, []),
    "segment": (segment, ["--depth=2"]),
    "tag": (tag, []),
}
WORDS = st.sampled_from(
    [
        "",
        " ",
        "a",
        "Haus",
        "two words",
        "日本",
        "\u2581x",
        "\x00",
        "\u2028",
        "\ud7ff",
        "9",
    ]
)
LINES = st.lists(st.lists(WORDS, max_size=3).map("\t".join), max_size=40)
PAIRS = st.lists(st.tuples(WORDS, WORDS).map("\t".join), min_size=10, max_size=40)
ENDS = st.sampled_from(["\n", "\r\n", "\n\n", "\r"])
CODES = st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])


@st.composite
def text_files(draw):
    text = draw(ENDS).join(draw(st.one_of(LINES, PAIRS)))
    content = text.encode(draw(CODES), errors="replace")
    return content + draw(st.sampled_from([b"", b"\n", b"\xff\n"]))


@st.composite
def pictures(draw):
    """The bytes of a picture, sound or not."""
    side = st.sampled_from([1, 5, 8, 16])
    mode = draw(st.sampled_from(["L", "RGB", "RGBA", "P", "1", "I;16", "LA"]))
    picture = Image.new(mode, (draw(side), draw(side)), draw(st.integers(0, 1)))
    file = io.BytesIO()
    picture.save(file, "PNG")
    content = file.getvalue()
    harm = draw(st.sampled_from(["none"] * 12 + ["cut", "other", "empty"]))
    kept = {"none": len(content), "cut": len(content) // 2}.get(harm, 0)
    return content[:kept] + (b"%!PS-Adobe-3.0" if harm == "other" else b"")


NAMES = st.sampled_from(["a.png", "b.png", "c.PNG", "d.jpg", "f.txt", ".g.png"])
FOLDERS = st.sampled_from(
    [
        "cat",
        "dog",
        "train/cat",
        "train/dog",
        "test/cat",
        "images",
        "masks",
        "",
        "tiere ä",
    ]
)
CHANGES = st.dictionaries(st.tuples(FOLDERS, NAMES), pictures(), max_size=6)


def sound(side, value):
    file = io.BytesIO()
    Image.fromarray(np.full((side, side + 1), value, "uint8")).save(file, "PNG")
    return file.getvalue()


BASES = [
    {},
    {(k, f"{n}.png"): sound(8 + n, n) for k in ("cat", "dog") for n in range(6)},
    {(k, f"{n}.png"): sound(9, n % 2) for k in ("images", "masks") for n in range(6)},
    {(k, "0.png"): sound(9, 0) for k in ("images", "masks")},  # too few
]
TREES = st.builds(lambda base, more: base | more, st.sampled_from(BASES), CHANGES)


def write(root, tree):
    root.mkdir()
    for (place, name), content in tree.items():
        (root / place).mkdir(parents=True, exist_ok=True)
        (root / place / name).write_bytes(content)


def read(recipe, folder, data):
    """The exit code and the message of reading some data."""
    module, arguments = RECIPES[recipe]
    flags = module.define_flags()
    run_dir = pathlib.Path(folder, "run")
    run_dir.mkdir()
    given = [f"--data={data}", f"--output_dir={folder}/out", *arguments]
    return command_line.run(
        lambda flags: module.load_data(flags, run_dir), flags, "", given
    )


def check(recipe, folder, data, capsys):
    code = read(recipe, folder, data)
    written = capsys.readouterr()
    assert code in (0, 2)
    hypothesis.event(f"{recipe}: exit code {code}")
    if code:
        assert written.err.startswith("error: ") and "Traceback" not in written.err
        assert str(data) in written.err or "--" in written.err, written.err
        assert not re.search(r"`\w+`", written.err), written.err


def settings(examples):
    return hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def text_property(recipe, capsys):
    @hypothesis.given(text_files())
    def run(content):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "data.tsv")
            path.write_bytes(content)
            check(recipe, folder, path, capsys)

    return run


@st.composite
def tables(draw):
    """A CSV file of a year's first days, sound or with something changed."""
    count, order = draw(st.integers(2, 60)), draw(st.sampled_from("sssssrd"))
    days = [str(np.datetime64("2024-01-01") + k) for k in range(count)]
    days = {"s": days, "r": days[::-1], "d": days[:1] * count}[order]
    numbers = st.sampled_from(["1", "2.5", "-3", "1e3", "7"])
    odd = st.sampled_from(["", "NA", "x", "1,5", "inf", "9" * 400, '"', "\x00"])
    rows = [[day, draw(numbers)] for day in days]
    if draw(st.booleans()):
        rows[draw(st.integers(0, count - 1))][1] = draw(odd)
    separator = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    lines = [separator.join(row) for row in [["date", "y"], *rows]]
    return draw(ENDS).join(lines).encode(draw(CODES), errors="replace")


def table_property(recipe, capsys):
    @hypothesis.given(st.one_of(tables(), tables(), text_files()))
    def run(content):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "series.csv")
            path.write_bytes(content)
            check(recipe, folder, path, capsys)

    return run


def folder_property(recipe, capsys):
    @hypothesis.given(TREES)
    def run(tree):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder, "data")
            write(root, tree)
            check(recipe, folder, root, capsys)

    return run


def captions_property(recipe, capsys):
    """Lines of a captions file, of which some name an image that is there."""
    images = {("", f"{n}.png"): sound(8, n) for n in range(6)}
    names = st.sampled_from(["0.png", "1.png", "2.png", "3.png#0", "7.png", ""])
    lines = st.tuples(names, WORDS).map("\t".join)
    rows = st.lists(st.one_of(lines, lines, WORDS), max_size=30)

    @hypothesis.given(rows, CHANGES, CODES, st.sampled_from(["tsv", "csv", "json"]))
    def run(rows, changes, code, suffix):
        content = "\n".join(rows).encode(code, errors="replace")
        tree = images | changes | {("", f"captions.{suffix}"): content}
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder, "data")
            write(root, tree)
            check(recipe, folder, root, capsys)

    return run


PROPERTIES = {
    "caption": captions_property,
    "translate": text_property,
    "spelling": text_property,
    "generate": text_property,
    "subwords": text_property,
    "forecast": table_property,
    "classify_image": folder_property,
    "classify_text": text_property,
    "labeled_folders": folder_property,
    "segment": folder_property,
    "tag": text_property,
}


@pytest.mark.parametrize("recipe", PROPERTIES)
def test_data_are_read_or_refused(recipe, capsys):
    settings(15)(PROPERTIES[recipe](recipe, capsys))()


@pytest.mark.slow
@pytest.mark.parametrize("recipe", PROPERTIES)
def test_many_data_are_read_or_refused(recipe, capsys):
    settings(400)(PROPERTIES[recipe](recipe, capsys))()


@pytest.mark.parametrize("recipe, base", [("classify_image", 1), ("segment", 2)])
def test_sound_data_are_read(recipe, base, tmp_path):
    """What the properties start from is not refused throughout."""
    write(tmp_path / "data", BASES[base])
    assert read(recipe, tmp_path, tmp_path / "data") == 0
