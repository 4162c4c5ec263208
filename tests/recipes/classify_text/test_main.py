"""The text classification recipe: tiny runs, the use of their files, bad input."""

import json

import bare_process
import browser
import killed_recipe
import numpy as np
import pytest

from kerasseq import data, lite
from kerasseq.lite import packed_files
from recipes.classify_text import __main__ as classify_text
from recipes.classify_text import bag_of_words
from recipes.classify_text import evaluate as classify_text_evaluate
from recipes.shared import command_line

ARTIFACTS = ("saved_model", "model.tflite", "model.keras", "history.csv")
ARTIFACTS += ("report.json", "report.html", "card.json")
TINY = ["--epochs=2", "--units=8", "--embedding_dim=8", "--num_examples=400"]
TINY += ["--warmup_steps=2", "--batch_size=32"]


def run(*arguments):
    flags = classify_text.define_flags()
    return command_line.run(classify_text.main, flags, "", [str(x) for x in arguments])


def read(path):
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The result of a tiny run on generated reviews, with all the trimmings."""
    folder = tmp_path_factory.mktemp("classify_text")
    trimmings = ["--arch=bigru", "--pooling=attention", "--quantize=float16"]
    trimmings += ["--class_weights", "--word_dropout=0.1", "--ema=0.9"]
    assert run(*TINY, *trimmings, f"--output_dir={folder}") == 0
    return folder


@pytest.fixture(scope="module")
def mails(tmp_path_factory):
    """A CSV file of three classes, each with words of its own."""
    path = tmp_path_factory.mktemp("mails") / "mails.csv"
    generator = np.random.default_rng(0)
    kinds = {"bill": "pay euro", "order": "buy send", "other": "hello sun"}
    rows = []
    for number in range(150):
        kind = [*kinds][number % 3]
        words = [*generator.choice(["the", "a", "we", "you", str(number)], 6)]
        words[generator.integers(6)] = generator.choice(kinds[kind].split())
        rows.append(f'"{" ".join(words)}, and so on",{kind}')
    path.write_text("\n".join(["subject,kind", *rows]))
    return path


@pytest.fixture(scope="module")
def cnn(tmp_path_factory, mails):
    """The result of a run of convolutions on the mails, files beside."""
    folder = tmp_path_factory.mktemp("cnn")
    code = run(
        *("--arch=cnn", "--pooling=max", "--units=12", "--embedding_dim=16"),
        *(f"--data={mails}", "--text_column=subject", "--label_column=kind"),
        *("--epochs=12", "--batch_size=16", "--learning_rate=0.01", "--max_length=30"),
        *("--dropout=0.1", "--noembed_files", f"--output_dir={folder}"),
    )
    assert code == 0
    return folder


def test_everything_is_written(folder):
    for name in (*ARTIFACTS, "model_float16.tflite"):
        assert (folder / name).exists(), name
    for name in ("words.png", "confusion.png", "calibration.png"):
        assert (folder / name).read_bytes()[:4] == b"\x89PNG"
    for path in folder.glob("*.tflite"):
        packed = {"labels.json", "vocabulary.json", "card.json"}
        assert {*packed_files.names(path)} == packed
    assert not (folder / "vocabulary.json").exists()


def test_report(folder):
    report = read(folder / "report.json")
    assert report["task"] == "classify_text" and report["data"] == "synthetic"
    metrics = report["metrics"]
    scores = {"accuracy", "macro_f1", "cross_entropy", "calibration_error"}
    scores |= {"calibration_error_before", "temperature", "recall_by_class"}
    assert metrics.keys() == scores | {"bag_of_words_accuracy"}
    assert 0.3 < metrics["bag_of_words_accuracy"] < 0.7
    tflite, half, saved_model = report["artifacts"]
    assert tflite["signatures"] == ["serve"] and tflite["dynamic_shapes"] is False
    assert tflite["flex_ops"] == tflite["custom_ops"] == []
    assert tflite["max_abs_diff"] <= 1e-4 and tflite["metrics"]["agreement"] == 1
    assert tflite["metrics"]["accuracy"] == metrics["accuracy"]
    assert half["metrics"]["agreement"] > 0.8
    card = lite.TextClassifier(folder / "model_float16.tflite").card
    assert card["metrics"] == half["metrics"]
    page = (folder / "report.html").read_text()
    assert "words that count most" in page


def test_the_file_gives_what_keras_gives(folder):
    import keras

    model = keras.saving.load_model(folder / "model.keras")
    classifier = lite.TextClassifier(folder)
    temperature = read(folder / "report.json")["metrics"]["temperature"]
    for text in ("The soup was not bad.", "Nobody knows", "The bed was dull! " * 30):
        tokens = classifier.vocabulary.encode(text)[: classifier.length]
        logits = np.asarray(model(tokens[None]), "float64")[0] / temperature
        expected = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(classifier(text), expected, atol=1e-5)
        words = classifier.attention(text)
        assert [word for word, _ in words] == data.split_words(text)[: len(words)]
        assert sum(weight for _, weight in words) == pytest.approx(1, abs=1e-4)


def test_a_number_outside_counts_as_unknown(folder):
    runner = lite.Runner(folder / "model.tflite")
    length = runner.signatures["serve"]["inputs"]["tokens"][0][1]
    row = np.zeros((1, length), "int32")
    found = []
    for token in (1, 10**6, -5):
        row[0, :2] = 2, token
        found.append(runner.run("serve", tokens=row)["probabilities"])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_mails(cnn):
    assert read(cnn / "labels.json") == ["bill", "order", "other"]
    assert packed_files.names(cnn / "model.tflite") == []
    report = read(cnn / "report.json")
    assert report["metrics"]["accuracy"] > 0.9
    assert report["metrics"]["bag_of_words_accuracy"] > 0.9
    classifier = lite.TextClassifier(cnn)
    assert classifier.length == 30
    assert classifier.classify("please pay, we")[0] == "bill"
    with pytest.raises(ValueError, match="--pooling=attention"):
        classifier.attention("pay")


def test_classifies_without_tensorflow_or_keras(cnn):
    arguments = ("--from", cnn, "--classify", "you buy the sun")
    out, seconds = bare_process.run("recipes.classify_text", *arguments)
    name, probability = out.strip().split("\t")
    expected = lite.TextClassifier(cnn).classify("you buy the sun")
    assert (name, probability) == (expected[0], f"{expected[1]:.4f}")
    assert seconds < 5


def test_lines_of_standard_input(cnn, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", ["pay\n", "\n", "hello we\n"])
    assert run("--from", cnn, "--classify", "-") == 0
    lines = capsys.readouterr().out.split("\n")
    assert [line.split("\t")[0] for line in lines] == ["bill", "", "other", ""]
    monkeypatch.setattr("sys.stdin", ["pay\n", "\x00\n"])
    assert run("--from", cnn, "--classify", "-") == 2
    assert "line 2: The text has no words" in capsys.readouterr().err


def test_a_page(cnn, tmp_path):
    library = browser.fake_library(tmp_path / "library")
    given = ["--web", f"--web_library={library}", "--output_dir", tmp_path / "out"]
    assert run("--from", cnn, "--classify", "we pay", *given) == 0
    web = tmp_path / "out" / "web"
    assert read(web / "page.json")["samples"] == ["we pay"]
    for name in ("index.html", "classify_text.js", "words.js", "vocabulary.json"):
        assert (web / name).exists(), name
    assert read(web / "labels.json") == ["bill", "order", "other"]


def test_published_score(folder):
    path = folder / "model.tflite"
    flags = command_line.restore(
        classify_text.define_flags(), read(folder / "card.json") | {"command": "a b c"}
    )
    found = classify_text_evaluate.published_score(path, flags)
    assert (found["metric"], found["rows"]) == ("accuracy", 40)
    accuracy = read(folder / "report.json")["metrics"]["accuracy"]
    assert found["value"] == pytest.approx(accuracy)


@pytest.mark.slow
def test_a_finished_run_resumes_to_the_same_result(cnn, mails, tmp_path, capsys):
    given = ["--epochs=3", "--units=8", "--embedding_dim=8", f"--data={mails}"]
    given += ["--text_column=subject", "--label_column=kind"]
    given += [f"--output_dir={tmp_path}", "--word_dropout=0.2"]
    assert run(*given) == 0
    before = read(tmp_path / "report.json")["metrics"]
    assert run(*given, "--resume") == 0
    assert "resumed after epoch 3" in capsys.readouterr().out
    assert read(tmp_path / "report.json")["metrics"] == before
    assert run(*given, "--resume", "--nocalibrate") == 0
    assert "temperature" not in read(tmp_path / "report.json")["metrics"]
    assert run(*given, "--resume", "--dropout=0.6") == 2
    assert "dropout: 0.2 -> 0.6" in capsys.readouterr().err


class Model:
    """Logits that are right, or always the same."""

    def __init__(self, logits):
        self.logits = logits

    def predict(self, rows, **_):
        return np.resize(self.logits, (len(rows), 2))


def test_no_temperature_where_all_is_right():
    texts = data.LabeledTexts(
        "x", ["a", "b"], None, (["u", "v"], np.array([0, 1])), None
    )
    loaded = {"texts": texts, "vocabulary": data.Words(["u"]), "length": 4}
    right = Model([[2.0, 1.0], [1.0, 2.0]])
    assert classify_text_evaluate._temperature(right, loaded) == 1.0
    wrong = Model([[2.0, 1.0], [2.0, 1.0]])
    assert classify_text_evaluate._temperature(wrong, loaded) > 5


def test_bag_of_words():
    pairs = [("good " * n, 1) for n in (1, 2, 3)] + [("bad " * n, 0) for n in (1, 2, 3)]
    texts, labels = zip(*pairs, strict=True)
    split = list(texts), np.array(labels)
    loaded = data.LabeledTexts("x", ["bad", "good"], split, split, split)
    words = data.Words(["good", "bad"])
    assert bag_of_words.accuracy({"texts": loaded, "vocabulary": words}) == 1


BAD = {
    "--data=absent.tsv": "absent.tsv",
    "--data=tfds:no_such_set": "no_such_set",
    "--data={empty}": "line 2: the text is empty",
    "--data={mails}": "--text_column and --label_column",
    "--data={mails} --text_column=body": "--text_column is one of its names",
    "--test_data={other}": "other.tsv', line 2: no training text has this label",
    "--arch=rnn": "--arch is one of",
    "--arch=gru --num_heads=2": "--num_heads has no meaning",
    "--arch=transformer --num_heads=3": "divide",
    "--pooling=first": "pooling",
    "--min_count=9999": "--min_count",
    "--quantize=int8": "--quantize",
    "--validation_fraction=0.6 --test_fraction=0.5": "--validation_fraction=0.6",
    "--resume": "no run to resume",
    "--unknown=1": "unknown",
}


@pytest.fixture(scope="module")
def bad_data(tmp_path_factory, mails):
    root = tmp_path_factory.mktemp("bad")
    (root / "empty.tsv").write_text("a\tyes\n\tno\nb\tno\n")
    (root / "other.tsv").write_text("fine\tpositive\nodd\tmaybe\n")
    with_more = [f"{i},{line}" for i, line in enumerate(mails.read_text().split("\n"))]
    (root / "mails.csv").write_text("\n".join(with_more))
    return {path.stem: path for path in root.iterdir()}


@pytest.mark.parametrize("arguments", BAD)
def test_bad_input_to_training(arguments, bad_data, tmp_path, capsys):
    given = arguments.format(**bad_data).split()
    assert run(f"--output_dir={tmp_path}", *TINY, *given) == 2
    error = capsys.readouterr().err
    assert BAD[arguments] in error
    assert error.startswith("error: ") and "Traceback" not in error


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--from=nowhere", "--classify=the"], "nowhere"),
        (["--classify=the", "--epochs=3"], "Received: --epochs=3"),
    ],
)
def test_bad_use(arguments, message, capsys):
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


def test_dry_run(tmp_path, capsys):
    assert run(*TINY, "--dry_run", f"--output_dir={tmp_path / 'out'}") == 0
    assert "nothing was written" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_killed_run_ends_where_the_uninterrupted_one_does(tmp_path):
    settings = [*TINY, "--epochs=3", "--word_dropout=0.2", "--ema=0.9"]
    losses = killed_recipe.losses_of_two_runs("classify_text", run, settings, tmp_path)
    assert len(losses[0]) == 3 and losses[0] == losses[1]


@pytest.mark.slow
def test_the_default_run_solves_what_a_bag_of_words_cannot(tmp_path):
    assert run(f"--output_dir={tmp_path}") == 0
    found = read(tmp_path / "report.json")["artifacts"][0]["metrics"]
    assert found["accuracy"] >= 0.99
    assert read(tmp_path / "report.json")["metrics"]["bag_of_words_accuracy"] < 0.6
