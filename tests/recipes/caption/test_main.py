"""The captioning recipe: tiny runs, the use of their files, and bad input."""

import csv
import json
import subprocess
import sys

import bare_process
import browser
import killed_recipe
import numpy as np
import pytest
from PIL import Image

from kerasseq import data, lite
from kerasseq.lite import packed_files
from recipes.caption import __main__ as caption
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
SMALL = ["--widths=4,8", "--units=16", "--embedding_dim=16", "--epochs=1"]
SMALL += ["--beam_size=3"]
TINY = [*SMALL, "--num_examples=160", "--validation_fraction=0.2"]
ATTENTION = [f"attention_{number}.png" for number in range(1, 5)]


def run(*arguments):
    flags = caption.define_flags()
    return command_line.run(caption.main, flags, "", [str(x) for x in arguments])


def read(path):
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The result of a tiny run on scenes."""
    folder = tmp_path_factory.mktemp("caption")
    library = browser.fake_library(tmp_path_factory.mktemp("library"))
    web = ["--web", f"--web_library={library}", "--tensorboard"]
    assert run(*TINY, f"--output_dir={folder}", *web, "--quantize=float16") == 0
    return folder


def paint(folder, num=20, size=(30, 26)):
    """Scenes as files, two captions each, and an own one for the last."""
    images, captions = data.generated_scenes(num, size=30)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number, (image, texts) in enumerate(zip(images, captions, strict=True)):
        name = f"{number}.png"
        Image.fromarray(image[:, : size[1]]).save(folder / "images" / name)
        rows += [f"{name}\t{text.capitalize()}." for text in texts]
    rows.append(f"{num - 1}.png\tTwo shapes, that's all.")
    (folder / "captions.tsv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return paint(tmp_path_factory.mktemp("scenes") / "data")


def test_everything_is_written(folder):
    for name in (*ARTIFACTS, "model_float16.tflite"):
        assert (folder / name).exists(), name
    for name in ATTENTION:
        assert (folder / name).read_bytes()[:4] == b"\x89PNG"
    assert len(read(folder / "web" / "page.json")["samples"]) == 6
    assert (folder / "web" / "vocabulary.json").exists()
    for path in folder.glob("*.tflite"):
        assert {*packed_files.names(path)} == {"vocabulary.json", "card.json"}
    assert not (folder / "vocabulary.json").exists()
    assert [*folder.glob("run/tensorboard/train/events*")]


def test_report(folder):
    report = read(folder / "report.json")
    assert report["task"] == "caption" and report["data"] == "synthetic"
    assert report["training"]["compiles"] == 2
    tflite, half, _ = report["artifacts"]
    assert sorted(tflite["signatures"]) == ["beam", "encode", "greedy", "step"]
    assert tflite["flex_ops"] == tflite["custom_ops"] == []
    assert tflite["dynamic_shapes"] is False and tflite["max_abs_diff"] <= 1e-4
    metrics = tflite["metrics"]
    assert {"exact_match", "bleu", "bleu_signature"} <= metrics.keys()
    num_images = metrics["beam_identical"]
    assert num_images == metrics["greedy_identical"] > 20
    assert metrics["bleu"] == report["metrics"]["bleu"]
    assert "nrefs:2" in metrics["bleu_signature"]
    assert half["bytes"] < tflite["bytes"]
    card = read(folder / "card.json")
    assert card["settings"]["units"] == 16
    assert card["bytes"]["model.tflite"] == (folder / "model.tflite").stat().st_size
    packed = lite.Captioner(folder / "model_float16.tflite").card
    assert packed["metrics"] == half["metrics"]


@pytest.mark.slow
def test_a_finished_run_resumes_to_the_same_result(folder, capsys):
    before = read(folder / "card.json")["metrics"]
    assert run(*TINY, f"--output_dir={folder}", "--resume", "--quantize=float16") == 0
    assert "resumed after epoch 1" in capsys.readouterr().out
    assert read(folder / "card.json")["metrics"]["bleu"] == before["bleu"]
    (vocabulary,) = (folder / "run").glob("vocabulary.json")
    earlier = vocabulary.read_bytes()
    vocabulary.write_bytes(data.SentenceWords.of(["another one"]).to_bytes())
    assert run(*TINY, f"--output_dir={folder}", "--resume") == 2
    assert "vocabulary: " in capsys.readouterr().err
    vocabulary.unlink()
    assert run(*TINY, f"--output_dir={folder}", "--resume") == 2
    assert "vocabulary.json" in capsys.readouterr().err
    vocabulary.write_bytes(earlier)
    assert run(*TINY, f"--output_dir={folder}", "--resume", "--dropout=0.7") == 2
    assert "dropout: 0.05 -> 0.7" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.slow
def test_own_images_and_a_vision_transformer(scenes, tmp_path, capsys):
    sizes = ["--hidden_dim=16", "--encoder_layers=1", "--num_heads=2", "--mlp_dim=16"]
    small = [flag for flag in SMALL if not flag.startswith("--widths")]
    options = ["--encoder=vit", *sizes, "--cell=lstm", "--attention=dot"]
    options += ["--brightness=0.1", "--noembed_files", "--min_count=2", "--limit=0.9"]
    arguments = [*small, *options, f"--data={scenes}", f"--output_dir={tmp_path}"]
    assert run(*arguments) == 0
    out = capsys.readouterr().out
    # Patches of 4 do not divide 26; captions are cut into words, a rare one is left.
    assert "image size: 32x28, chosen" in out or "image size: 32x24" in out
    words = read(tmp_path / "vocabulary.json")["words"]
    assert "." in words and "all" not in words and "a" in words
    assert packed_files.names(tmp_path / "model.tflite") == []
    metrics = read(tmp_path / "card.json")["metrics"]
    assert metrics["beam_identical"] == 4
    captioner = lite.Captioner(tmp_path)
    assert isinstance(captioner(scenes / "images" / "0.png")[0][0], str)


def test_describes_files_without_tensorflow_or_keras(folder, scenes, tmp_path):
    arguments = ("--from", folder, "--images", scenes, "--num_best", "2")
    out, seconds = bare_process.run(
        "recipes.caption", *arguments, "--output_dir", tmp_path
    )
    *lines, written = out.splitlines()
    assert written == f"Written to {tmp_path / 'captions.csv'}"
    with open(tmp_path / "captions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(lines) == 40 and seconds < 10
    assert lines[0].split("\t") == [*rows[0].values()]
    assert float(rows[0]["score"]) >= float(rows[1]["score"])


def test_more_texts_than_beams(folder, scenes, tmp_path, capsys):
    arguments = ("--images", scenes / "images" / "3.png", "--num_best=9")
    assert run("--from", folder, *arguments, "--output_dir", tmp_path) == 0
    assert "--num_best=9: the file has " in capsys.readouterr().err


def test_a_page_and_captions(folder, scenes, tmp_path):
    library = browser.fake_library(tmp_path / "library")
    given = ["--web", f"--web_library={library}", f"--output_dir={tmp_path / 'out'}"]
    assert run("--from", folder, "--images", scenes / "images" / "3.png", *given) == 0
    assert (tmp_path / "out" / "captions.csv").exists()
    assert len(read(tmp_path / "out" / "web" / "page.json")["samples"]) == 1


def test_what_the_file_cannot_honor_is_refused(folder, scenes, capsys):
    assert run("--from", folder, "--images", scenes, "--beam_size=8") == 2
    assert "Received: --beam_size=8" in capsys.readouterr().err


def test_bad_images(folder, scenes, tmp_path, capsys):
    (tmp_path / "captions.csv").write_text("earlier")
    (tmp_path / "bad").mkdir()
    whole = (scenes / "images" / "0.png").read_bytes()
    (tmp_path / "bad" / "a.png").write_bytes(whole[:60])
    for name, message in {"absent": "no file or folder", "bad": "a.png"}.items():
        images = ["--images", tmp_path / name, "--output_dir", tmp_path]
        assert run("--from", folder, *images) == 2
        assert message in capsys.readouterr().err
    assert (tmp_path / "captions.csv").read_text() == "earlier"


@pytest.mark.parametrize("name", ["model.tflite", "vocabulary.json"])
def test_damaged_files(folder, scenes, tmp_path, capsys, name):
    path = tmp_path / "model.tflite"
    path.write_bytes((folder / "model.tflite").read_bytes())
    for item, content in packed_files.read_all(path).items():
        (tmp_path / item).write_bytes(content)
    packed_files.pack(path, {})
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 3])
    images = ["--images", scenes, f"--output_dir={tmp_path}"]
    assert run("--from", tmp_path, *images) == 2
    assert name in capsys.readouterr().err


BAD = {
    "--data=absent": "absent",
    "--data={no_captions}": "captions.tsv",
    "--data={missing}": "line 42",
    "--data={empty}": "line 42: the caption is empty",
    "--data={broken}": "line 42",
    "--data={mixed} --captions=absent.tsv": "absent.tsv",
    "--image_size=0": "--image_size",
    "--limit=some": "--limit",
    "--widths=8,x": "--widths",
    "--encoder=vit --widths=8": "--widths",
    "--patch_size=4": "--patch_size",
    "--encoder=vit --patch_size=5": "--patch_size",
    "--units=6": "--units",
    "--cell=rnn": "--cell",
    "--vocab_size=4": "--vocab_size",
    "--min_count=100000": "--min_count",
    "--max_length=3": "--max_length",
    "--quantize=int8": "--quantize",
    "--num_examples=2": "num_examples",
    "--epochs=0": "epochs",
    "--output_dir={file}/below": "--output_dir",
    "--distribute=data": "JAX backend",
}


@pytest.fixture(scope="module")
def bad_data(tmp_path_factory):
    """Folders that no captioner can be trained on."""
    root = tmp_path_factory.mktemp("bad")
    lines = {"missing": "no.png\tone", "empty": "1.png\t", "broken": "broken.png\tone"}
    for name in ("no_captions", "mixed", *lines):
        paint(root / name)
        with open(root / name / "captions.tsv", "a") as file:
            file.write(f"\n{lines.get(name, '')}")
    (root / "no_captions" / "captions.tsv").unlink()
    images = root / "broken" / "images"
    (images / "broken.png").write_bytes((images / "0.png").read_bytes()[:99])
    (root / "file").write_text("a file")
    return {path.name: path for path in root.iterdir()}


@pytest.mark.parametrize("arguments", BAD)
def test_bad_input_to_training(arguments, bad_data, tmp_path, capsys):
    output = tmp_path / "output"
    output.mkdir()
    (output / "report.json").write_text("earlier")
    given = arguments.format(**bad_data).split()
    assert run("--num_examples=40", f"--output_dir={output}", *given) == 2
    error = capsys.readouterr().err
    assert BAD[arguments] in error
    assert error.startswith("error: ") and "Traceback" not in error
    assert (output / "report.json").read_text() == "earlier"
    assert {path.name for path in output.iterdir()} <= {"report.json", "run"}


@pytest.mark.slow
def test_dry_run(tmp_path, capsys):
    assert run(*TINY, f"--output_dir={tmp_path / 'out'}", "--dry_run") == 0
    assert "nothing was written" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_help(capsys):
    assert run("--help") == 0
    assert "--num_best" in capsys.readouterr().out


def test_scores_take_any_reference():
    from recipes.caption import scores

    references = [["a b c d e", "x"], ["a b c d e f"]]
    found = scores.scores(["a b c d e", "a b c d e g"], references)
    assert found["exact_match"] == 0.5 and found["bleu"] > 80
    assert "nrefs:var" in found["bleu_signature"]
    assert scores.scores(["x", "a b c d e f"], references)["exact_match"] == 1


def test_one_caption_for_all_is_reported():
    from recipes.caption import evaluate

    words = data.SentenceWords.of(["a red circle", "a blue square"])
    texts = [("a red circle",), ("a blue square",)]
    images = data.CaptionedImages("x", (None, texts), (None, texts), (None, texts))
    loaded = {"words": words, "images": images}

    def warnings(*captions):
        tokens = np.array([[*words.encode(text), 3] for text in captions])
        scores = evaluate._scores(loaded, tokens)
        return evaluate._warnings(loaded, tokens, scores)

    assert warnings("a red circle", "a blue square") == []
    (sentence,) = warnings("a red circle", "a red circle")
    assert "one answer to all test images: 'a red circle'" in sentence
    (sentence,) = warnings("square square square", "circle circle circle")
    assert "no better than a trivial one" in sentence and "always 'a " in sentence


@pytest.mark.slow
def test_a_killed_run_ends_where_the_uninterrupted_one_does(tmp_path):
    settings = [*TINY, "--epochs=3", "--dropout=0.3", "--contrast=0.1"]
    losses = killed_recipe.losses_of_two_runs("caption", run, settings, tmp_path)
    assert len(losses[0]) == 3 and losses[0] == pytest.approx(losses[1], rel=1e-6)


@pytest.mark.slow
def test_exact_match_of_the_default_run(tmp_path):
    """On combinations of things and relation that no training scene shows."""
    command = [sys.executable, "-m", "recipes.caption", f"--output_dir={tmp_path}"]
    subprocess.run(command, check=True)
    card = read(tmp_path / "card.json")
    assert card["metrics"]["exact_match"] >= 0.95
    assert card["metrics"]["beam_identical"] == card["metrics"]["greedy_identical"]
