"""The recipe of taggers: tiny runs, the use of their files, bad input."""

import json

import bare_process
import numpy as np
import pytest

from kerasseq import lite
from kerasseq.lite import packed_files
from recipes.shared import command_line
from recipes.tag import __main__ as tag
from recipes.tag import data as tag_data
from recipes.tag import evaluate as tag_evaluate

TINY = ["--epochs=2", "--units=8", "--embedding_dim=8", "--character_dim=4"]
TINY += ["--character_filters=8", "--batch_size=8", "--warmup_steps=2"]
CITIES = ("Rome", "Oslo", "New York", "Lima")


def run(*arguments):
    flags = tag.define_flags()
    return command_line.run(tag.main, flags, "", [str(x) for x in arguments])


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """Spans of one and two words; a word of the test is unknown in training."""
    folder = tmp_path_factory.mktemp("sentences")
    for name, count in (("train", 60), ("dev", 12), ("test", 12)):
        lines = []
        for number in range(count):
            first, *rest = CITIES[number % 4].split()
            lines += [f"day\t{'O' if number % 3 else 'B-DATE'}", "in\tO"]
            lines += [f"{first}\tB-LOC", *(f"{word}\tI-LOC" for word in rest), ""]
        if name == "test":
            lines += ["in\tO", "Paris\tB-LOC", ""]
        (folder / f"{name}.tsv").write_text("\n".join(lines))
    return folder


def data_flags(sentences):
    parts = {"data": "train", "validation_data": "dev", "test_data": "test"}
    return [f"--{flag}={sentences / name}.tsv" for flag, name in parts.items()]


KINDS = {
    "gru": ["--arch=gru", "--quantize=float16"],
    "crf": ["--arch=cnn", "--crf", "--word_features=suffixes", "--noper_word"],
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(kind, sentences, tmp_path_factory):
    folder = tmp_path_factory.mktemp(kind)
    arguments = [*TINY, *KINDS[kind], *data_flags(sentences)]
    assert run(*arguments, f"--output_dir={folder}") == 0
    return folder


def test_everything_is_written(folder, kind):
    names = ("saved_model", "model.tflite", "model.keras", "history.csv")
    for name in (*names, "report.json", "report.html", "card.json", "confusion.png"):
        assert (folder / name).exists(), name
    for path in folder.glob("*.tflite"):
        assert {*packed_files.names(path)} == {"vocabulary.json", "card.json"}
    metrics = json.loads((folder / "card.json").read_text())["metrics"]
    assert metrics["agreement"] == 1 and metrics["words_per_second"] > 0
    assert 0 <= metrics["span_f1"] <= 1 and metrics["unknown_accuracy"] in (0, 1)
    assert metrics["most_frequent_accuracy"] > 0.5
    assert ("per_word_accuracy" in metrics) == (kind == "gru")
    assert {"B-LOC", "I-LOC", "O"} <= metrics["f1_by_tag"].keys()
    report = json.loads((folder / "report.json").read_text())
    assert report["artifacts"][0]["flex_ops"] == []
    assert (folder / "model_float16.tflite").exists() == (kind == "gru")


def test_word_by_word_where_the_model_reads_forward(folder, kind):
    tagger = lite.Tagger(folder)
    metrics = tagger.card["metrics"]
    if kind == "crf":
        with pytest.raises(ValueError, match="--arch=lstm or gru and without --crf"):
            tagger.stream()
        return
    assert metrics["words_streamed"] == metrics["words_streamed_identical"] > 9
    words = ["day", "in", "New", "York"]
    tags, scores = tagger.run(words)
    stream = tagger.stream()
    for _ in range(2):
        for word, number, score in zip(words, tags, scores, strict=True):
            assert stream(word) == (tagger.tags[number], pytest.approx(score, abs=1e-5))
        stream.reset()


def test_tags_sentences(folder, kind, capsys):
    assert run(f"--from={folder}", "--tag", "day in Rome") == 0
    out = capsys.readouterr().out
    assert [line.split("\t")[0] for line in out.splitlines()] == ["day", "in", "Rome"]
    tagger = lite.Tagger(folder)
    assert out == "".join(f"{word}\t{tag}\n" for word, tag in tagger("day in Rome"))
    assert tagger(["New York"])[0][0] == "New York"
    _, scores = tagger.run(["day", "in", "Oslo"])
    assert np.all((0 < scores) & (scores <= 1 + 1e-6))


def test_tags_without_tensorflow_and_keras(folder, tmp_path):
    alone = tmp_path / "alone.tflite"
    alone.write_bytes((folder / "model.tflite").read_bytes())
    arguments = ("--tag", "-", "--from", alone)
    out, seconds = bare_process.run("recipes.tag", *arguments, text="in Rome\n\nin\n")
    words = [line.split("\t")[0] for line in out.splitlines()]
    assert words == ["in", "Rome", "", "", "in", ""]
    assert seconds < 5


def test_a_published_score(folder, kind, sentences):
    flags = tag.define_flags()
    flags(["tag", *data_flags(sentences)])
    found = tag_evaluate.published_score(folder / "model.tflite", flags)
    card = lite.Tagger(folder).card
    assert found["metric"] == "accuracy" and found["rows"] == 13
    assert found["value"] == pytest.approx(card["metrics"]["accuracy"])


def test_scores_of_known_sentences():
    class Data:
        train = [(["a", "b"], ["O", "B-X"]), (["a"], ["B-X"])]
        test = [(["a", "b", "c"], ["O", "B-X", "I-X"])]

    found = tag_evaluate.scores({"sentences": Data}, [["O", "B-X", "O"]])
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert (found["ambiguous_accuracy"], found["unknown_accuracy"]) == (1, 0)
    assert found["span_f1"] == 0  # one word of two
    assert tag_evaluate.most_frequent({"sentences": Data}) == [["O", "B-X", "B-X"]]
    perfect = tag_evaluate.scores({"sentences": Data}, [["O", "B-X", "I-X"]])
    assert perfect["span_f1"] == perfect["macro_f1"] == 1
    cut = tag_evaluate.scores({"sentences": Data}, [["O"]])
    assert cut["accuracy"] == pytest.approx(1 / 3)


@pytest.mark.slow
def test_a_finished_run_resumes_to_the_same_result(folder, kind, sentences, capsys):
    before = lite.Tagger(folder).card["metrics"]
    arguments = [*TINY, *KINDS[kind], *data_flags(sentences), "--resume"]
    assert run(*arguments, f"--output_dir={folder}") == 0
    assert "resumed after epoch 2" in capsys.readouterr().out
    after = lite.Tagger(folder).card["metrics"]
    for name in ("accuracy", "macro_f1", "span_f1"):
        assert after[name] == pytest.approx(before[name], rel=1e-6)


@pytest.mark.slow
def test_the_default_run(tmp_path):
    assert run(f"--output_dir={tmp_path}") == 0
    metrics = lite.Tagger(tmp_path).card["metrics"]
    assert metrics["ambiguous_accuracy"] >= 0.99
    majority = metrics["most_frequent_ambiguous_accuracy"]
    assert metrics["per_word_ambiguous_accuracy"] <= majority + 0.03 < 0.65
    tagger = lite.Tagger(tmp_path)
    for sense, text in (
        ("FRUIT", "he peeled the apple before lunch"),
        ("COMPANY", "apple announced a smaller phone"),
    ):
        assert dict(tagger(text))["apple"] == sense


def test_batches_are_fitted_to_few_sentences(tmp_path, capsys):
    path = tmp_path / "few.tsv"
    path.write_text("".join(f"w{k}\tX\nx\tY\n\n" for k in range(20)))
    flags = tag.define_flags()
    flags(["tag", f"--data={path}"])
    loaded = tag_data.load(flags)
    assert loaded["train"].batch_size == 16
    assert (
        "--batch_size=16 in place of 32: there are 16 training sentences"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--arch=rnn"], "--arch is one of mlp, "),
        (["--word_features=vowels"], "--word_features is a list"),
        (["--crf", "--label_smoothing=0.1"], "a CRF has one of whole sentences"),
        (["--quantize=int8"], "--quantize is a list out of float16,dynamic"),
        (["--max_length=1"], "use a larger --max_length"),
        (["--min_count=5000"], "lower --min_count"),
        (["--arch=transformer", "--num_heads=3"], "num_heads"),
        (["--data=missing.txt"], "Cannot read 'missing.txt'"),
        (["--data={csv}", "--tag_column=kind"], "or name another with --tag_column"),
        (["--tag_column=upos"], "a number from 2 on"),
        (["--resume"], "no run to resume"),
    ],
)
def test_bad_flags(arguments, message, sentences, tmp_path, capsys):
    (tmp_path / "a.csv").write_text("sentence,word,tag\n1,a,X\n")
    arguments = [x.format(csv=tmp_path / "a.csv") for x in arguments]
    given = [*TINY, *data_flags(sentences), f"--output_dir={tmp_path}", *arguments]
    assert run(*given) == 2
    assert message in capsys.readouterr().err
    assert not [*tmp_path.glob("*.tflite")]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--from=nowhere", "--tag=the"], "nowhere"),
        (["--from=nowhere"], "Give a sentence to tag"),
        (["--tag=the", "--units=3"], "Received: --units=3"),
    ],
)
def test_bad_use(arguments, message, capsys):
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


def test_sentences_that_the_file_does_not_take(folder):
    tagger = lite.Tagger(folder)
    for sentence, message in (
        ("", "is empty"),
        (["a", ""], "none of them empty"),
        ("a " * 50, "has 50 words, the file takes at most"),
    ):
        with pytest.raises(ValueError, match=message):
            tagger(sentence)
