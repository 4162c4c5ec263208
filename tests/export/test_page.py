"""The page about an export: all of it there, escaped, and in one file."""

import base64
import re

import pytest

from kerasseq.export import page

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
ARTIFACT = {
    "file": "model.tflite",
    "bytes": 2495728,
    "precision": "float32",
    "signatures": ["encode", "step"],
    "ops": {"ADD": 64, "RESHAPE": 70},
    "flex_ops": [],
    "custom_ops": [],
    "gpu_refused_ops": ["SHAPE", "WHILE"],
    "dynamic_shapes": False,
    "max_abs_diff": 1.9073486328125e-05,
    "latency_ms": 1.1132304999819098,
    "peak_memory_mib": None,
    "metrics": {"near_ties": [{"sentence": 3, "gap": 1e-6}], "speed": {"beam": 2.5}},
}
FOLDER = ARTIFACT | {"file": "saved_model", "ops": {}, "metrics": {}}
REPORT = {
    "task": "translate",
    "data": "a <file> & more",
    "metrics": {"bleu": 31.41592, "signature": "case:mixed", "lost": None},
    "training": {"seconds": 22.6, "parameters": 589376},
    "artifacts": [ARTIFACT, FOLDER],
}
SAMPLES = [
    {"source": "<b>one</b>", "translation": 'eins "A"'},
    {"source": "two", "translation": "zwei & mehr"},
]
HISTORY = "epoch,learning_rate,loss,seconds,val_loss\n1,0.1,3.5,20,4\n2,0.05,2,21,NA\n"


@pytest.fixture
def write(tmp_path):
    picture = tmp_path / "attention_1.png"
    picture.write_bytes(PNG)

    def write(report=REPORT, history=HISTORY, samples=SAMPLES, pictures=(picture,)):
        (tmp_path / "history.csv").write_text(history)
        path = tmp_path / "report.html"
        page.write_page(path, report, tmp_path / "history.csv", samples, pictures)
        assert sorted(x.name for x in tmp_path.iterdir()) == [
            "attention_1.png",
            "history.csv",
            "report.html",
        ]
        return path.read_text(encoding="utf-8")

    return write


def curves(text):
    return re.findall(r'alt="([^"]*) by epoch"', text)


def test_everything_is_there_in_order(write):
    text = write()
    headings = re.findall("<h2>(.*?)</h2>", text)
    assert headings == [
        "Metrics",
        "Samples",
        "Artifacts",
        "Curves",
        "Pictures",
        "Training",
        "Ops by count",
    ]
    for part in (">31.42<", ">589,376<", ">case:mixed<"):
        assert part in text
    for part in (">model.tflite<", ">saved_model<", ">2.4 MiB<", ">1.907e-05<"):
        assert part in text
    assert "<dt>near ties</dt><dd>1</dd>" in text
    assert "<dt>speed</dt><dd>beam 2.5</dd>" in text
    assert "<b>70</b>RESHAPE" in text
    assert text.count(">none<") == 2  # of the file whose ops are known
    assert ">refused by GPU delegate<" in text and ">SHAPE, WHILE<" in text
    assert text.index("RESHAPE") < text.index("</b>ADD")


def test_text_is_escaped(write):
    text = write(REPORT | {"task": "<script>"})
    assert "<script" not in text and "<b>one" not in text
    assert "a &lt;file&gt; &amp; more" in text
    assert "&lt;b&gt;one&lt;/b&gt;" in text and "eins &quot;A&quot;" in text
    assert ">two<" in text and "zwei &amp; mehr" in text


def test_nothing_lies_outside_the_page(write):
    text = write()
    assert base64.b64encode(PNG).decode() in text
    assert 'alt="attention_1"' in text
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(sources) == 3
    assert all(source.startswith("data:image/") for source in sources)
    assert not re.search(r"https?:|//|@import|url\(", re.sub(r'"data:[^"]*"', "", text))


@pytest.mark.parametrize(
    ("history", "panels"),
    [
        (HISTORY, ["loss", "learning rate"]),
        ("epoch,loss,images_per_second\n1,3,9\n2,2,9\n", ["loss"]),
        ("epoch,loss,val_bleu,val_loss\n1,3,20,4\n", ["loss", "bleu"]),
        ("loss,$_x\n3,\n2,nan\n", ["loss", "$ x"]),
        ("epoch,loss\n", []),
    ],
)
def test_curves(write, history, panels):
    text = write(history=history)
    assert curves(text) == panels
    assert ("<h2>Curves</h2>" in text) == bool(panels)


def test_empty_sections_are_left_out(write):
    empty = {"task": None, "data": None, "metrics": {}, "training": {}, "artifacts": []}
    text = write(empty, "epoch,loss\n", [], [])
    assert "<h1>report</h1>" in text and "<h2>" not in text
    assert "<dl" not in text and "<table" not in text


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (5 << 40, "5120.0 GiB")],
)
def test_sizes(write, size, expected):
    text = write(REPORT | {"artifacts": [ARTIFACT | {"bytes": size}]})
    assert f">{expected}<" in text


def test_the_layers_that_lose_most(write):
    rows = [
        {"layer": "dense", "op": "a", "relative_error": 0.01},
        {"layer": "dense", "op": "b", "relative_error": 0.2},
        {"layer": None, "op": "add", "relative_error": 0.1},
    ]
    item = ARTIFACT | {"file": "model_int8.tflite", "error_by_layer": rows}
    page = write(report=REPORT | {"artifacts": [item]})
    text = re.sub(r"<[^>]+>", " ", page).split("Error of int8 by layer")[1]
    words = text.split()
    assert words.index("dense") < words.index("20.00%") < words.index("add")
    assert "1.00%" not in words
    assert "Error of int8" not in write()
