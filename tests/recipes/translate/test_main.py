"""The translation recipe: a tiny run, the use of its files, and bad input."""

import io
import json
import pathlib
import shutil
import subprocess
import sys
import zipfile

import bare_process
import browser
import jax_process
import killed_recipe
import pytest

import kerasseq
from kerasseq import lite
from kerasseq.lite import packed_files
from recipes.shared import command_line
from recipes.translate import __main__ as translate

ROOT = pathlib.Path(__file__).parents[3]
ARTIFACTS = (
    "saved_model",
    "model.tflite",
    "model.keras",
    "history.csv",
    "report.json",
    "report.html",
    "card.json",
)
TINY = ["--num_examples=600", "--vocab_size=400", "--units=16", "--embedding_dim=16"]
PACKED = {"vocabulary.json", "subwords.model", "card.json"}
TINY += ["--epochs=1", "--buckets=2", "--beam_size=3", "--tensorboard"]


def run(*arguments):
    return command_line.run(
        translate.main, translate.define_flags(), "", list(arguments)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translate")
    library = browser.fake_library(tmp_path_factory.mktemp("library"))
    web = ["--web", f"--web_library={library}"]
    assert run(*TINY, *web, f"--output_dir={folder}") == 0
    return folder


def test_everything_is_written(folder):
    for name in (*ARTIFACTS, "attention_1.png"):
        assert (folder / name).exists(), name
    assert (folder / "attention_1.png").read_bytes()[:4] == b"\x89PNG"
    page = json.loads((folder / "web" / "page.json").read_text())
    assert len(page["samples"]) == 6
    assert {*zipfile.ZipFile(folder / "model.tflite").namelist()} == PACKED
    assert not (folder / "vocabulary.json").exists()
    leftovers = [*folder.parent.glob(f".{folder.name}*")]
    assert not leftovers
    assert [*folder.glob("run/tensorboard/train/events*")]


def test_report(folder):
    report = json.loads((folder / "report.json").read_text())
    assert report["task"] == "translate"
    assert report["training"]["compiles"] <= 2 * 2  # buckets, times fit and evaluate
    tflite = report["artifacts"][0]
    assert sorted(tflite["signatures"]) == ["beam", "encode", "greedy", "step"]
    assert tflite["flex_ops"] == tflite["custom_ops"] == []
    assert tflite["dynamic_shapes"] is False
    assert tflite["max_abs_diff"] <= 1e-4
    assert {"bleu", "chrf", "exact_match"} <= tflite["metrics"].keys()
    assert tflite["metrics"]["greedy_identical"] == 30
    assert tflite["metrics"]["beam_identical"] == 30
    card = json.loads((folder / "card.json").read_text())
    assert card["settings"]["units"] == 16
    assert card["bytes"]["model.tflite"] == (folder / "model.tflite").stat().st_size
    packed = lite.Translator(folder).card
    assert {**packed, "bytes": card["bytes"]} == card


def test_translates_lines_without_tensorflow_or_keras(folder, tmp_path):
    alone = tmp_path / "alone.tflite"
    alone.write_bytes((folder / "model.tflite").read_bytes())
    arguments = ("--translate", "-", "--from", alone, "--num_best", "2")
    text = "May 3, 2001\n\n5 hours\n"
    out, seconds = bare_process.run("recipes.translate", *arguments, text=text)
    lines = out.splitlines()
    assert len(lines) == 5 and lines[2] == ""  # an empty line stays where it is
    scores = [float(line.split("\t")[0]) for line in lines if line]
    assert scores[0] >= scores[1] and scores[2] >= scores[3]
    assert seconds < 5


def test_more_texts_than_beams(folder, capsys):
    assert run("--translate", "May 3", "--from", str(folder), "--num_best=9") == 0
    out, error = capsys.readouterr()
    beams = len(out.splitlines())
    assert f"--num_best=9: the file has {beams} beams" in error and beams < 9


def test_a_bad_line_is_named(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\nMay 3\n" + "word " * 200))
    assert run("--translate", "-", "--from", str(folder)) == 2
    out, error = capsys.readouterr()
    assert out.count("\n") == 2 and out.startswith("\n")
    assert error.startswith("error: line 3: The sentence has")


def test_bytes_that_are_not_utf8_are_named_by_their_line(folder, capsys, monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO(b"May 3\n\nM\xe4rz\n"), encoding="ascii")
    monkeypatch.setattr("sys.stdin", stdin)
    assert run("--translate", "-", "--from", str(folder)) == 2
    out, error = capsys.readouterr()
    assert out.count("\n") == 2 and error.startswith("error: line 3: not UTF-8")


def test_a_page_and_translations(folder, tmp_path, capsys):
    library = browser.fake_library(tmp_path / "library")
    given = ["--web", f"--web_library={library}", f"--output_dir={tmp_path / 'out'}"]
    assert run("--translate", "May 3", "--from", str(folder), *given) == 0
    assert capsys.readouterr().out.count("\n") == 2  # the sentence, and where it is
    page = json.loads((tmp_path / "out" / "web" / "page.json").read_text())
    assert page["samples"] == ["May 3"]


def test_what_the_file_cannot_honor_is_refused(folder, capsys):
    given = ["--beam_size=8", "--length_penalty=1"]
    assert run("--translate", "May 3", "--from", str(folder), *given) == 2
    out, error = capsys.readouterr()
    assert out == "" and "Received: --beam_size=8 --length_penalty=1.0" in error


WITHOUT_KERAS = """
import sys
sys.modules["keras"] = None
import tensorflow as tf
signatures = tf.saved_model.load(sys.argv[1]).signatures
source = tf.constant([[5, 3] + [0] * (int(sys.argv[2]) - 2)])
print(sorted(signatures), signatures["beam"](source=source)["tokens"].shape[1])
"""


def test_saved_model_runs_with_tensorflow_alone(folder):
    length = lite.Translator(folder).length
    command = [sys.executable, "-c", WITHOUT_KERAS, folder / "saved_model", str(length)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "['beam', 'encode', 'greedy', 'step'] 3"


@pytest.mark.slow
def test_a_finished_run_resumes_to_the_same_result(folder, capsys):
    before = json.loads((folder / "card.json").read_text())["metrics"]
    assert run(*TINY, f"--output_dir={folder}", "--resume") == 0
    assert "resumed after epoch 1" in capsys.readouterr().out
    after = json.loads((folder / "card.json").read_text())["metrics"]
    assert after["bleu"] == before["bleu"] and after["chrf"] == before["chrf"]


def test_resume_refuses_other_settings(folder, capsys):
    code = run(*TINY, f"--output_dir={folder}", "--resume", "--dropout=0.7")
    assert code == 2
    assert "dropout: 0.05 -> 0.7" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["missing", "another", "damaged"])
def test_resume_needs_the_subwords_of_the_run(folder, tmp_path, capsys, change):
    run_dir = shutil.copytree(folder / "run", tmp_path / "run")
    subwords = run_dir / "subwords.model"
    if change == "missing":
        subwords.unlink()
    elif change == "damaged":
        subwords.write_bytes(subwords.read_bytes()[:99])
    else:
        kerasseq.data.train_subwords(["May 3, 2001", "3. Mai"], 16, subwords)
    before = {path.name: path.read_bytes() for path in run_dir.glob("*.*")}
    assert run(*TINY, f"--output_dir={tmp_path}", "--resume") == 2
    message = "vocabulary: " if change == "another" else "subwords.model"
    assert message in capsys.readouterr().err
    after = {path.name: path.read_bytes() for path in run_dir.glob("*.*")}
    assert {**before, ".lock": None} == {**after, ".lock": None}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def many(line):
    return "".join(line.replace("{}", str(i)) for i in range(60))


BAD = {
    "missing": ("--data=absent.tsv", None, "absent.tsv"),
    "empty": ("--data={a}", "", "empty"),
    "lengths": ("--data={a},{b}", many("x {}\n"), "60"),
    "no_tab": ("--data={a}", many("x {}\ty {}\n") + "no tab\n", "line 61"),
    "encoding": ("--data={a}", b"gr\xfcn\tgreen\n", "UTF-8"),
    "tfds": ("--data=tfds:no_such_set/x_to_y", None, "no_such_set"),
    "locale": ("--source_locale=xq", None, "'xq'"),
    "vocabulary": ("--vocab_size=90000", None, "at most"),
    "folder": ("--output_dir={a}/below", "a file", "--output_dir"),
    "enum": ("--cell=rnn", None, "cell"),
    "flag": ("--unknown=1", None, "unknown"),
    "number": ("--epochs=0", None, "epochs"),
    "clipping": ("--clip_value=1", None, "--clip_global_norm=0"),
    "identity": ("--recurrent_initializer=identity", None, "--cell=gru"),
    "argument": ("stray", None, "stray"),
    "distribute": ("--distribute=data", None, "JAX backend"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_to_training(name, tmp_path, capsys):
    argument, text, message = BAD[name]
    if text is not None:
        write(tmp_path / "a", text)
    write(tmp_path / "b", "one line\n")
    output = tmp_path / "output"
    output.mkdir()
    write(output / "report.json", "earlier")
    argument = argument.format(a=tmp_path / "a", b=tmp_path / "b")
    code = run("--num_examples=600", f"--output_dir={output}", argument)
    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.startswith("error: ") and "Traceback" not in error
    assert (output / "report.json").read_text() == "earlier"
    assert {p.name for p in output.iterdir()} <= {"report.json", "run"}


@pytest.mark.parametrize(
    "sentence, message", [("", "is empty"), ("word " * 200, "takes at most")]
)
def test_bad_sentences(folder, capsys, sentence, message):
    assert run("--translate", sentence, "--from", str(folder)) == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def unpacked(folder, tmp_path):
    """The model and what was packed into it, as files beside it."""
    for name, content in packed_files.read_all(folder / "model.tflite").items():
        write(tmp_path / name, content)
    write(tmp_path / "model.tflite", (folder / "model.tflite").read_bytes())
    packed_files.pack(tmp_path / "model.tflite", {})
    return tmp_path


def test_files_beside_the_model_do_as_well(unpacked, folder, capsys):
    for place in (unpacked, folder):
        assert run("--translate", "May 3", "--from", str(place)) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


@pytest.mark.parametrize("name", ["model.tflite", "subwords.model", "vocabulary.json"])
def test_damaged_files(unpacked, capsys, name):
    content = (unpacked / name).read_bytes()
    write(unpacked / name, content[: len(content) // 3])
    assert run("--translate", "May 3", "--from", str(unpacked)) == 2
    assert name in capsys.readouterr().err
    (unpacked / name).unlink()
    assert run("--translate", "May 3", "--from", str(unpacked)) == 2
    assert name in capsys.readouterr().err


def test_help(capsys):
    assert run("--help") == 0
    assert "--target_locale" in capsys.readouterr().out


@pytest.mark.slow
def test_a_killed_run_ends_where_the_uninterrupted_one_does(tmp_path):
    settings = [*TINY, "--epochs=3", "--dropout=0.3"]
    losses = killed_recipe.losses_of_two_runs("translate", run, settings, tmp_path)
    assert len(losses[0]) == 3 and losses[0] == pytest.approx(losses[1], rel=1e-6)


@pytest.mark.slow
def test_a_transformer_does_the_whole_job(tmp_path, capsys):
    sizes = ["--arch=transformer", "--hidden_dim=16", "--num_heads=2", "--mlp_dim=24"]
    more = [
        "--num_layers=1",
        "--batch_tokens=300",
        "--buckets=1",
        "--ema=0.9",
        "--accumulate=2",
    ]
    small = [flag for flag in TINY if "units" not in flag and "embedding" not in flag]
    assert run(*small, *sizes, *more, f"--output_dir={tmp_path}") == 0
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["settings"]["schedule"] == "inverse_square_root"
    assert card["metrics"]["beam_identical"] == 30
    assert (tmp_path / "attention_1.png").exists()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["artifacts"][0]["flex_ops"] == []
    capsys.readouterr()
    assert run(f"--from={tmp_path}", "--translate", "Thursday, May 4, 1995") == 0
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.slow
def test_a_run_on_two_jax_devices_is_exported_there_and_on_tensorflow(tmp_path):
    command = [sys.executable, "-m", "recipes.translate", *TINY[:-1]]
    command += [f"--output_dir={tmp_path}", "--distribute=data"]
    two_devices = "--xla_force_host_platform_device_count=2"
    environment = jax_process.environment(XLA_FLAGS=two_devices)
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    assert (tmp_path / "model.keras").exists()
    assert (tmp_path / "model.tflite").exists()
    assert not (tmp_path / "saved_model").exists()
    assert run(*TINY[:-1], f"--output_dir={tmp_path}", "--resume") == 0
    assert (tmp_path / "saved_model").exists()
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["training"]["epochs"] == 1
    assert card["metrics"]["beam_identical"] == 30
