"""The recipe of language models: tiny runs, the use of their files, bad input."""

import json
import math

import bare_process
import numpy as np
import pytest

from kerasseq import lite
from kerasseq.lite import packed_files
from recipes.generate import __main__ as generate
from recipes.generate import evaluate as generate_evaluate
from recipes.shared import command_line

TEXT = "the cat sat on the mat.\nthe dog ran to the den.\n" * 60
TINY = ["--epochs=3", "--units=16", "--num_layers=1", "--length=16", "--batch_size=4"]
TINY += ["--num_heads=2", "--window=16", "--prompt_length=12", "--max_length=30"]
TINY += ["--validation_fraction=0.1", "--test_fraction=0.1", "--warmup_steps=2"]


def run(*arguments):
    flags = generate.define_flags()
    return command_line.run(generate.main, flags, "", [str(x) for x in arguments])


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


KINDS = {
    "transformer": ["--arch=transformer"],
    "gru": ["--arch=gru", "--tokens=subwords", "--vocab_size=275"],
}


SLOW = pytest.param("gru", marks=pytest.mark.slow)


@pytest.fixture(scope="module", params=["transformer", SLOW])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(kind, text, tmp_path_factory):
    folder = tmp_path_factory.mktemp(kind)
    arguments = [*TINY, *KINDS[kind], f"--data={text}", "--quantize=float16,dynamic"]
    assert run(*arguments, f"--output_dir={folder}") == 0
    return folder


def test_everything_is_written(folder, kind):
    names = ("saved_model", "model.tflite", "model.keras", "history.csv")
    vocabulary = {"transformer": "characters.json", "gru": "subwords.model"}[kind]
    for name in (*names, "report.json", "report.html", "card.json"):
        assert (folder / name).exists(), name
    for path in folder.glob("*.tflite"):
        assert {*packed_files.names(path)} == {vocabulary, "card.json"}
    card = json.loads((folder / "card.json").read_text())
    metrics = card["metrics"]
    assert metrics["texts_identical"] == metrics["texts"] > 1
    bits = metrics["test_bits_per_character"]
    assert bits < math.log2(len(set(TEXT)))  # better than all characters alike
    if kind == "transformer":
        assert bits == pytest.approx(metrics["test_nats"] / math.log(2))
    else:
        assert bits < metrics["test_nats"] / math.log(2)  # subwords are longer
    report = json.loads((folder / "report.json").read_text())
    assert report["artifacts"][0]["flex_ops"] == []
    files = [item["file"] for item in report["artifacts"]]
    assert files[1:3] == ["model_float16.tflite", "model_dynamic.tflite"]
    for item in report["artifacts"][1:3]:
        assert item["metrics"]["texts"] == metrics["texts"]
        packed = lite.TextGenerator(folder / item["file"]).card
        assert packed["metrics"] == item["metrics"]


def test_writes_from_a_prompt_and_a_seed(folder, capsys):
    arguments = [f"--from={folder}", "--prompt", "the cat"]
    written = []
    for seed in (1, 1, 2):
        assert run(*arguments, f"--seed={seed}") == 0
        written.append(capsys.readouterr().out)
        assert written[-1].startswith("the cat") and len(written[-1]) >= 31
    assert written[0] == written[1] != written[2]
    assert run(*arguments, "--seed=1", "--count=2") == 0
    both = "---\n".join([written[0], written[2]]) + "---\n"
    assert capsys.readouterr().out == both


def test_writes_without_tensorflow_and_keras(folder, tmp_path):
    alone = tmp_path / "alone.tflite"
    alone.write_bytes((folder / "model_dynamic.tflite").read_bytes())
    arguments = ("--prompt", "the ", "--seed", 1, "--from", alone)
    out, seconds = bare_process.run("recipes.generate", *arguments)
    assert out == lite.TextGenerator(alone)("the ", 1) + "\n"
    assert seconds < 5


def test_bits_per_character_of_a_file_that_knows_nothing(folder):
    generator = lite.TextGenerator(folder)
    vocabulary = generator.vocabulary

    class Runner:
        def stateful(self, name):
            return lambda tokens: {"logits": np.zeros((1, 1, len(vocabulary)))}

    text = "the cat sat"
    found = generate_evaluate.bits_per_character(Runner(), vocabulary, text)
    num_tokens = len(vocabulary.encode(text))
    expected = (num_tokens - 1) * math.log2(len(vocabulary)) / len(text)
    assert found == pytest.approx(expected)


@pytest.mark.slow
def test_a_finished_run_resumes_to_the_same_result(folder, kind, text, capsys):
    before = lite.TextGenerator(folder).card["metrics"]
    arguments = [*TINY, *KINDS[kind], f"--data={text}", "--resume"]
    assert run(*arguments, f"--output_dir={folder}") == 0
    assert "resumed after epoch 3" in capsys.readouterr().out
    after = lite.TextGenerator(folder).card["metrics"]
    for name in ("test_nats", "bits_per_character", "texts_identical"):
        assert after[name] == pytest.approx(before[name], rel=1e-6)
    assert not (folder / "model_dynamic.tflite").exists()  # of another export


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--temperature=0"], "temperature=0.0"),
        (["--top_p=1.5"], "top_p=1.5"),
        (["--prompt_length=30"], "a prompt of length 30, --max_length=30"),
        (["--quantize=int8"], "--quantize is a list out of float16,dynamic"),
        (["--tokens=subwords", "--vocab_size=256"], "beside the 256 bytes"),
        (["--tokens=subwords", "--vocab_size=5000"], "can be at most"),
        (["--data=missing.txt"], "Cannot read 'missing.txt'"),
        (["--test_fraction=0.95"], "test_fraction=0.95"),
        (["--arch=rnn"], "arch"),
        (["--num_heads=3"], "must divide"),
        (["--length=5000"], "use smaller batches"),
        (["--resume"], "no run to resume"),
    ],
)
def test_bad_flags(arguments, message, text, tmp_path, capsys):
    given = [*TINY, f"--data={text}", f"--output_dir={tmp_path}", *arguments]
    assert run(*given) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--from=nowhere", "--prompt=the"], "nowhere"),
        (["--from=nowhere"], "Give a text"),
        (["--prompt=the", "--temperature=0.3"], "Received: --temperature=0.3"),
    ],
)
def test_bad_use(arguments, message, capsys):
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("prompt", ["", "ta" * 13])
def test_a_prompt_of_the_wrong_length(folder, prompt):
    with pytest.raises(ValueError, match="1 to 12"):
        lite.TextGenerator(folder)(prompt)


def test_a_prompt_with_an_unknown_character(folder, kind):
    writer = lite.TextGenerator(folder)
    if kind == "transformer":
        with pytest.raises(ValueError, match="does not know.*'Ω'"):
            writer("Ω")
    else:
        assert writer("Ω").startswith("Ω")
