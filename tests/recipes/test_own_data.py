"""Small data of one's own, with the defaults that are made for large ones."""

import numpy as np
import pytest

from recipes.generate import __main__ as generate
from recipes.generate import evaluate as generate_evaluate
from recipes.segment import evaluate as segment_evaluate
from recipes.shared import command_line
from recipes.translate import __main__ as translate
from recipes.translate import data as translate_data
from recipes.translate import evaluate as translate_evaluate

WORDS = "cat dog house tree sun moon red blue green".split()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "pairs.tsv"
    lines = [f"{a} {b}\t{b.upper()} {a.upper()}" for a in WORDS for b in WORDS[:5]]
    path.write_text("\n".join(lines))
    return path


def load(recipe, folder, *arguments):
    """What a recipe loads, and the flags."""
    flags, found = recipe.define_flags(), []

    def main(flags):
        found.append(recipe.load_data(flags, folder))

    code = command_line.run(main, flags, "", [str(x) for x in arguments])
    return (found[0] if found else code), flags


def test_forty_pairs_of_words(pairs, tmp_path, capsys):
    data, flags = load(translate, tmp_path, f"--data={pairs}")
    assert len(data["vocabularies"][0]) < 100 < flags.vocab_size == 1000
    assert translate_data.lengths(data) < (20, 20)  # as the data have
    steps = flags.epochs * len(data["train"])
    assert flags.warmup_steps <= steps // 2
    assert "vocabulary: " in capsys.readouterr().out


def test_the_file_takes_what_max_length_promises(pairs, tmp_path):
    data, _ = load(translate, tmp_path, f"--data={pairs}", "--max_length=40")
    assert translate_data.lengths(data) == (40, 40)
    assert data["train"].shapes[-1][1] < 20  # and training does not pay for it


def test_what_is_given_and_impossible_is_refused(pairs, tmp_path, capsys):
    for flag in ("--vocab_size=900", "--batch_size=900"):
        code, _ = load(translate, tmp_path, f"--data={pairs}", flag)
        assert code == 2
        error = capsys.readouterr().err
        assert "at most" in error and f"Received: {flag}" in error


def test_a_short_text(tmp_path, capsys):
    path = tmp_path / "short.txt"
    path.write_text("The cat sat on the mat. " * 40)
    data, flags = load(generate, tmp_path, f"--data={path}")
    assert (flags.length, flags.batch_size) == (32, 1)
    assert len(data["validation"]) == 1
    assert "--length=32 in place of 128" in capsys.readouterr().out


def test_a_translator_that_says_always_the_same(pairs, tmp_path):
    data, flags = load(translate, tmp_path, f"--data={pairs}")
    tokenizer, count = data["vocabularies"][1], len(data["text"].test)
    right = [tokenizer.encode(target) for _, target in data["text"].test]
    same = [tokenizer.encode("DOG")] * count
    wrong = [tokenizer.encode(word) for word in ("cat", "moon", "sun")[:count]]
    for tokens, chrf, message in (
        (right, 100.0, None),
        (same, 20.0, "one answer to all test sentences: 'DOG'"),
        (wrong, 0.0, "a chrF of 0.00; always "),
    ):
        rows = np.array([[*row, *[0] * (9 - len(row))] for row in tokens])
        found = translate_evaluate._warnings(flags, data, rows, {"chrf": chrf})
        assert [message in sentence for sentence in found] == [True] * bool(message)


def test_a_language_model_that_knows_no_more_than_frequencies(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("The cat sat on the mat. " * 40)
    data, _ = load(generate, tmp_path, f"--data={path}")
    assert not generate_evaluate._warnings(data, {"validation_nats": 1.0})
    (sentence,) = generate_evaluate._warnings(data, {"validation_nats": 3.0})
    assert "frequencies of tokens alone, 2." in sentence


def test_a_segmenter_with_one_answer():
    class Images:
        class_names = ["ground", "cell"]

    truth = np.array([[[0, 1], [1, 0]]])
    check = segment_evaluate._warnings
    assert not check("mask", truth, truth, 2, Images)
    (sentence,) = check("mask", 0 * truth, truth, 2, Images)
    assert "all pixels (mask): 'ground'" in sentence
    values = truth.astype("float32")
    assert not check("target", values + 0.1, values, 1, Images)
    assert check("target", values + 1, values, 1, Images)
