"""Translators of words, characters, and of characters to words: spelling to sound."""

import itertools
import json
import zipfile

import browser
import numpy as np
import pytest

from kerasseq import lite
from recipes.shared import command_line
from recipes.translate import __main__ as translate
from recipes.translate import scores

SOUNDS = {"sh": "SH", "ch": "CH", "ee": "IY", "c": "K", "a": "AE", "e": "EH", "o": "AA"}
SOUNDS |= {"x": "K S"}
ONSETS = ["b", "c", "ch", "d", "sh", "t", "st"]
ENDS = ["b", "d", "x", "n", "sh", "t", "st"]
TINY = ["--units=16", "--embedding_dim=16", "--epochs=1", "--buckets=1"]
TINY += ["--beam_size=3"]
KINDS = ("character,word", "character", "word", "subword,word")
KINDS = [pytest.param(x, marks=pytest.mark.slow) for x in KINDS]
PACKED = {
    "character,word": {"vocabulary.json", "target_vocabulary.json", "card.json"},
    "character": {"vocabulary.json", "card.json"},
    "word": {"vocabulary.json", "card.json"},
    "subword,word": {
        *("vocabulary.json", "subwords.model", "target_vocabulary.json", "card.json")
    },
}


def run(*arguments):
    return command_line.run(
        translate.main, translate.define_flags(), "", list(map(str, arguments))
    )


def sound(word):
    """The sounds of a word, by the longest spelling first."""
    found = []
    while word:
        length = 2 if word[:2] in SOUNDS else 1
        found.append(SOUNDS.get(word[:length], word[0].upper()))
        word = word[length:]
    return " ".join(found)


def write_pairs(path, syllables):
    """A dictionary of all words of so many syllables, `word<TAB>S OU N D S`."""
    parts = [ONSETS, ["a", "e", "ee", "o"], ENDS] * syllables
    words = ["".join(word) for word in itertools.product(*parts)]
    words = np.random.default_rng(0).permutation(words)[:4000]
    path.write_text("".join(f"{word}\t{sound(word)}\n" for word in words))
    return path


def test_sounds():
    assert (sound("cheesex"), sound("bob")) == ("CH IY S EH K S", "B AA B")


@pytest.fixture(scope="module", params=KINDS)
def trained(request, tmp_path_factory):
    """The tokenizer, the data and the folder of a tiny run."""
    folder = tmp_path_factory.mktemp("tokenizer")
    pairs = write_pairs(folder / "sounds.tsv", 1)
    library = browser.fake_library(folder / "library")
    web = ["--web", f"--web_library={library}"] if "," in request.param else []
    given = [f"--data={pairs}", f"--tokenizer={request.param}", *TINY]
    assert run(*given, *web, f"--output_dir={folder / 'out'}") == 0
    return request.param, given, folder / "out"


def test_the_file_holds_all(trained):
    tokenizer, _, folder = trained
    path = folder / "model.tflite"
    assert {*zipfile.ZipFile(path).namelist()} == PACKED[tokenizer]
    translator = lite.Translator(path)
    units = tokenizer.split(",")
    assert [translator.source.unit, translator.target.unit] == [units[0], units[-1]]
    assert (translator.source is translator.target) == (len(units) == 1)
    assert translator.card["settings"]["tokenizer"] == tokenizer
    ((text, score),) = translator("chat")
    assert isinstance(text, str) and score < 0


def test_no_size_is_made_up(trained):
    tokenizer, _, folder = trained
    translator = lite.Translator(folder)
    if tokenizer == "character,word":
        assert {*translator.source.words[4:]} == {*"abcdehnostx"}
        known = {*SOUNDS.values(), "B", "D", "H", "N", "S", "T"} - {"K S", "H"}
        assert {*translator.target.words[4:]} == known
        assert translator.length == 8  # "steest" and the end, a multiple of 4


def test_scores(trained):
    tokenizer, _, folder = trained
    artifact = json.loads((folder / "report.json").read_text())["artifacts"][0]
    assert artifact["flex_ops"] == artifact["custom_ops"] == []
    metrics = artifact["metrics"]
    assert metrics["greedy_identical"] == metrics["beam_identical"] > 5
    names = {x for x in metrics if x.endswith("_rate")}
    of_words = tokenizer.endswith("word")
    assert names == {"token_error_rate" if of_words else "character_error_rate"}
    assert 0 < metrics[names.pop()]
    assert (folder / "attention_1.png").exists()


def test_the_page_has_the_vocabularies(trained):
    tokenizer, _, folder = trained
    if "," in tokenizer:
        page = folder / "web"
        content = json.loads((page / "vocabulary.json").read_text())
        assert (page / content["target"]).exists()
        assert (page / "vocabularies.js").exists()


def test_resume_takes_the_vocabularies_of_the_run(trained):
    _, given, folder = trained
    data = loaded(folder / "run", *given, "--resume")
    translator = lite.Translator(folder)
    packed = translator.source.to_bytes(), translator.target.to_bytes()
    assert tuple(x.to_bytes() for x in data["vocabularies"]) == packed
    settings = translator.card["settings"]
    assert data["settings"]["vocabulary"] == settings["vocabulary"]
    assert data["settings"]["data"] == settings["data"]


@pytest.mark.slow
@pytest.mark.parametrize("trained", KINDS[:1], indirect=True)
def test_a_finished_run_resumes(trained, capsys):
    _, given, folder = trained
    before = json.loads((folder / "card.json").read_text())["metrics"]
    assert run(*given, f"--output_dir={folder}", "--resume") == 0
    assert "resumed after epoch 1" in capsys.readouterr().out
    after = json.loads((folder / "card.json").read_text())["metrics"]
    assert after["token_error_rate"] == before["token_error_rate"]
    other = [x for x in given if "tokenizer" not in x]
    assert run(*other, f"--output_dir={folder}", "--resume", "--tokenizer=word") == 2
    error = capsys.readouterr().err
    assert "made with another --tokenizer. Received: characters" in error


def test_error_rates():
    rates = scores.error_rates
    assert rates(["K AE T", "D"], ["K T", "D AO G"], "word") == {
        "token_error_rate": 3 / 5
    }
    assert rates(["kitten"], ["sitting"], "character") == {
        "character_error_rate": 3 / 7
    }
    assert rates(["x"], ["y"], "subword") == {}
    assert rates([""], [""], "word") == {"token_error_rate": 0}


def test_edit_distance_is_that_of_the_definition():
    def by_definition(a, b):
        if not a or not b:
            return len(a) + len(b)
        changed = by_definition(a[1:], b[1:]) + (a[0] != b[0])
        return min(changed, 1 + by_definition(a[1:], b), 1 + by_definition(a, b[1:]))

    generator = np.random.default_rng(0)
    for _ in range(40):
        first, second = (
            generator.integers(0, 3, generator.integers(0, 6)).tolist() for _ in "ab"
        )
        assert scores.edit_distance(first, second) == by_definition(first, second)


BAD = {
    "name": (["--tokenizer=byte"], "--tokenizer is subword, word, character, or two"),
    "three": (["--tokenizer=word,word,word"], "Received: --tokenizer=word,word,word"),
    "tied": (["--tokenizer=character,word", "--tie_embeddings"], "--tie_embeddings"),
    "count": (["--min_count=2"], "--min_count is about words and characters"),
    "nothing": (["--tokenizer=word", "--min_count=900"], "--min_count=900"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_flags(name, tmp_path, capsys):
    given, message = BAD[name]
    pairs = write_pairs(tmp_path / "sounds.tsv", 1)
    assert run(*given, f"--data={pairs}", f"--output_dir={tmp_path / 'out'}") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error


def loaded(folder, *given):
    """What the recipe loads for a run in a folder."""
    found = []

    def main(flags):
        found.append(translate.load_data(flags, folder))

    assert command_line.run(main, translate.define_flags(), "", [*given]) == 0
    return found[0]


def test_vocabularies_are_as_small_as_asked(tmp_path):
    pairs = f"--data={write_pairs(tmp_path / 'sounds.tsv', 1)}"
    data = loaded(tmp_path, pairs, "--tokenizer=character,word", "--vocab_size=9")
    assert [len(x) for x in data["vocabularies"]] == [9, 9]
    data = loaded(tmp_path, pairs, "--tokenizer=word", "--min_count=50")
    (words, same) = data["vocabularies"]
    assert words is same and {*words.words[4:]} <= {*SOUNDS.values(), *"BDKNST"}


def test_long_sentences_of_characters_are_kept(tmp_path):
    path = tmp_path / "prose.tsv"
    path.write_text(
        "".join(f"{'word ' * 20}{i}\t{'Wort ' * 20}{i}\n" for i in range(20))
    )
    data = loaded(tmp_path, f"--data={path}", "--tokenizer=character")
    assert data["train"].num_dropped == 0
    assert max(map(max, data["train"].buckets)) > 100


@pytest.mark.slow
def test_spelling_to_sound(tmp_path):
    pairs = write_pairs(tmp_path / "sounds.tsv", 2)
    given = ["--tokenizer=character,word", "--units=64", "--embedding_dim=32"]
    assert run(f"--data={pairs}", *given, "--epochs=8", f"--output_dir={tmp_path}") == 0
    metrics = json.loads((tmp_path / "card.json").read_text())["metrics"]
    assert metrics["exact_match"] >= 0.95 and metrics["token_error_rate"] <= 0.02
