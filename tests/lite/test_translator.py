import json
import subprocess
import sys

import pytest

from kerasseq import lite
from kerasseq.data import _sentence_piece, train_vocabulary, translator_files
from kerasseq.lite import packed_files
from tests.lite import hand_made

SENTENCES = ["one two three", "three two one", "two one two three"] * 20
SIZE = 15
SPECIAL = {"pad": 0, "unknown": 1, "start": 2, "end": 3}
CARD = {"task": "translate", "metrics": {"exact_match": 0.99}}
# Raises in what the device does not have; `kerasseq.data` would import some of it.
BLOCK = """
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras", "jax", "PIL"):
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Blocked())
"""


def train(size=SIZE):
    ids = {"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3}
    return _sentence_piece.train(SENTENCES, size, **ids)


def vocabulary(size=SIZE, **settings):
    fixed = {"pieces": size * ["x"], "scores": size * [0.0], **SPECIAL}
    return json.dumps({**fixed, "lowercase": False, **settings}).encode()


@pytest.fixture(scope="module")
def proto():
    return train()


@pytest.fixture
def path(tmp_path):
    return hand_made.translator(tmp_path / "model.tflite")


@pytest.fixture
def parts(proto):
    return {
        "vocabulary.json": vocabulary(lowercase=True),
        "subwords.model": proto,
        "card.json": json.dumps(CARD).encode(),
    }


@pytest.fixture
def packed(path, parts):
    packed_files.pack(path, parts)
    return path


class TestBasics:
    def test_one_file(self, packed):
        translator = lite.Translator(packed)
        ((text, score),) = translator("One TWO three")
        assert text == "one two three"  # the hand-made file returns what went in
        ids = translator.subwords.encode("one two three")
        assert score == sum(ids) + SPECIAL["end"]
        assert translator.length == hand_made.LENGTH
        assert translator.card == CARD
        assert list(translator.runner.signatures) == ["beam"]

    def test_folder_with_files_beside(self, path, parts):
        for name, content in parts.items():
            path.with_name(name).write_bytes(content)
        translator = lite.Translator(str(path.parent))
        assert translator("one")[0][0] == "one"
        assert translator.card == {}  # a card beside may be another file's

    def test_num_best(self, packed):
        translator = lite.Translator(packed)
        assert len(translator("one")) == 1
        assert len(translator("one", num_best=2)) == len(translator("one", 9)) == 2

    def test_case_as_it_is(self, path, parts):
        packed_files.pack(path, {**parts, "vocabulary.json": vocabulary()})
        assert lite.Translator(path)("ONE")[0][0] != "one"

    def test_prefix(self, tmp_path, parts, monkeypatch):
        path = hand_made.translator(tmp_path / "model.tflite", prefix_length=9)
        packed_files.pack(path, parts)
        translator, seen = lite.Translator(path), []
        run = translator.runner.run
        monkeypatch.setattr(
            translator.runner, "run", lambda name, **x: seen.append(x) or run(name, **x)
        )
        translator("one")
        translator("one", prefix="TWO")
        ids = translator.subwords.encode("two")
        for inputs, expected in zip(seen, ([], ids), strict=True):
            padding = [-1] * (9 - len(expected))
            assert inputs["prefix"].tolist() == [[*expected, *padding]]
        with pytest.raises(ValueError, match="subwords, the file takes at most 9"):
            translator("one", prefix="two " * 9)

    def test_without_tensorflow_keras_and_jax(self, packed):
        code = BLOCK + (
            "from kerasseq import lite\n"
            "print(lite.Translator(sys.argv[1])('one two')[0][0])\n"
        )
        command = [sys.executable, "-c", code, str(packed)]
        output = subprocess.run(command, capture_output=True, text=True, check=True)
        assert output.stdout == "one two\n"


class TestVocabularies:
    """The hand-made file returns the numbers that go in."""

    @pytest.fixture
    def spelling(self, path):
        source = train_vocabulary("character", ["cat", "act"])
        target = train_vocabulary("word", ["K AE T", "AE K T"])
        packed_files.pack(path, translator_files(source, target))
        return path

    def test_characters_and_words(self, spelling):
        translator = lite.Translator(spelling)
        assert (translator.source.unit, translator.target.unit) == ("character", "word")
        assert translator.subwords is None
        assert translator.vocabulary["target"] == "target_vocabulary.json"
        ids = translator.source.encode("cat")
        assert translator("cat")[0][0] == translator.target.decode(ids)
        assert sorted(translator("cat")[0][0].split()) == ["AE", "K", "T"]

    @pytest.mark.parametrize("unit", ["word", "character", "subword"])
    def test_one_for_both(self, path, unit):
        one = train_vocabulary(unit, SENTENCES, lowercase=True)
        packed_files.pack(path, translator_files(one, one))
        translator = lite.Translator(path)
        assert translator.source is translator.target
        assert translator("One TWO")[0][0] == "one two"

    @pytest.mark.parametrize("units", [("word", "subword"), ("subword", "subword")])
    def test_subwords_of_one_side(self, path, units, tmp_path):
        sides = [train_vocabulary(unit, SENTENCES) for unit in units]
        for name, content in translator_files(*sides).items():
            path.with_name(name).write_bytes(content)  # beside it does as well
        translator = lite.Translator(path)
        assert (translator.source.unit, translator.target.unit) == units
        assert len(translator.target) == len(sides[1])
        path.with_name("target_subwords.model").unlink()
        with pytest.raises(ValueError, match="'target_subwords.model' is neither"):
            lite.Translator(path)

    def test_prefix_is_of_the_target(self, tmp_path, monkeypatch):
        path = hand_made.translator(tmp_path / "model.tflite", prefix_length=2)
        source = train_vocabulary("character", ["cat"])
        target = train_vocabulary("word", ["K AE T"])
        packed_files.pack(path, translator_files(source, target))
        translator, seen = lite.Translator(path), []
        run = translator.runner.run
        monkeypatch.setattr(
            translator.runner, "run", lambda name, **x: seen.append(x) or run(name, **x)
        )
        translator("cat", prefix="K")
        assert seen[0]["prefix"].tolist() == [[*target.encode("K"), -1]]
        with pytest.raises(ValueError, match="The prefix has 3 words, .* at most 2"):
            translator("cat", prefix="K AE T")

    def test_too_long(self, spelling):
        with pytest.raises(ValueError, match="has 12 characters, .* at most 11"):
            lite.Translator(spelling)("c" * 12)

    def test_another_models_numbers(self, spelling):
        files = packed_files.read_all(spelling)
        few = train_vocabulary("word", ["K"])
        content = {**files, "target_vocabulary.json": few.to_bytes()}
        packed_files.pack(spelling, content)
        with pytest.raises(ValueError, match="has 5 words, and the model more"):
            lite.Translator(spelling)("cat")

    @pytest.mark.parametrize(
        "name, content, message",
        [
            ("target_vocabulary.json", None, "'target_vocabulary.json' is neither"),
            ("target_vocabulary.json", b"{", "target_vocabulary.json of .* is damaged"),
            ("target_vocabulary.json", b"{}", "target_vocabulary.json of .*end=None"),
            ("vocabulary.json", b'{"unit": "byte"}', "kind; .*unit='byte'"),
            ("vocabulary.json", b'{"unit": ["word"]}', "an unknown kind"),
            ("vocabulary.json", b'{"unit": "word"}', "vocabulary.json of .* damaged"),
        ],
    )
    def test_damaged(self, spelling, name, content, message):
        files = packed_files.read_all(spelling)
        del files[name]
        packed_files.pack(spelling, files | ({name: content} if content else {}))
        with pytest.raises(ValueError, match=message):
            lite.Translator(spelling)


class TestErrors:
    @pytest.mark.parametrize(
        "sentence, message",
        [
            ("", "sentence is empty"),
            ("one " * 12, "the file takes at most 11"),
            (b"one", "a string. Received: bytes"),
            (None, "a string. Received: NoneType"),
            ("one \udc80", "not Unicode; save it as UTF-8"),
        ],
    )
    def test_sentences(self, packed, sentence, message):
        with pytest.raises(ValueError, match=message):
            lite.Translator(packed)(sentence)

    def test_no_prefix(self, packed):
        with pytest.raises(ValueError, match="at most 0.*`prefix_length`"):
            lite.Translator(packed)("one", prefix="two")

    def test_num_best(self, packed):
        for wrong in (0, 1.5, None):
            with pytest.raises(ValueError, match=f"num_best={wrong}"):
                lite.Translator(packed)("one", num_best=wrong)

    def test_folder_of_several_files(self, packed):
        for name in ("a.tflite", "b.tflite"):
            (packed.parent / name).write_bytes(packed.read_bytes())
        lite.Translator(packed.parent)  # model.tflite is among them
        packed.unlink()
        with pytest.raises(ValueError, match="single .tflite file.*a.tflite, b.tflite"):
            lite.Translator(packed.parent)
        (packed.parent / "b.tflite").unlink()
        lite.Translator(packed.parent)

    @pytest.mark.parametrize("name", ["vocabulary.json", "subwords.model"])
    def test_missing_part(self, path, parts, name):
        del parts[name]
        packed_files.pack(path, parts)
        with pytest.raises(ValueError, match=f"'{name}' is neither packed into .* nor"):
            lite.Translator(path)

    @pytest.mark.parametrize(
        "part, message",
        [
            ({"subwords.model": b"no model"}, "subwords.model of .* is no Sentence"),
            ({"subwords.model": b""}, "subwords.model of .* is no Sentence"),
            ({"vocabulary.json": b"{"}, "vocabulary.json of .* is damaged"),
            ({"vocabulary.json": b"\xff"}, "vocabulary.json of .* is damaged"),
            ({"vocabulary.json": b"[]"}, "must hold a JSON dict.*list"),
            ({"vocabulary.json": b"{}"}, "save_vocabulary.*end=None"),
            ({"vocabulary.json": vocabulary(30)}, "different models.*30 and 15"),
            ({"card.json": b"[1]"}, "card.json of .* must hold a JSON dict"),
        ],
    )
    def test_damaged_part(self, path, parts, part, message):
        packed_files.pack(path, {**parts, **part})
        with pytest.raises(ValueError, match=message):
            lite.Translator(path)

    @pytest.mark.parametrize(
        "kind, what",
        [
            ("captioner", "a captioner: open it with `lite.Captioner`"),
            ("generator", "a language model: open it with `lite.TextGenerator`"),
            ("classifier", "images: open it with `lite.ImageClassifier`"),
            ("segmenter", "images: open it with `lite.ImageSegmenter`"),
        ],
    )
    def test_file_of_another_kind(self, tmp_path, kind, what):
        path = getattr(hand_made, kind)(tmp_path / "a.tflite")
        message = r"not a translator.*`beam\(source\) -> tokens, scores`.*" + what
        with pytest.raises(ValueError, match=message):
            lite.Translator(path)

    def test_no_file(self, tmp_path):
        with pytest.raises(
            ValueError, match="folder must hold model.tflite.*no .tflite file"
        ):
            lite.Translator(tmp_path)
