import json

import pytest

from kerasseq import lite
from kerasseq.data import LosslessSubwords
from kerasseq.lite import packed_files
from tests.lite import hand_made

LETTERS = "abcdefgh"
CHARACTERS = {"characters.json": json.dumps(list(LETTERS)).encode()}


@pytest.fixture(scope="module")
def proto():
    return LosslessSubwords.train("if x:\n    go()\n" * 20, 268).proto


@pytest.fixture
def path(tmp_path):
    return hand_made.generator(tmp_path / "model.tflite")


class TestBasics:
    def test_characters(self, path):
        packed_files.pack(path, CHARACTERS)
        generator = lite.TextGenerator(path)
        # The hand-made file raises each token by the seed, padding (-1) too.
        assert generator("face") == "face"
        assert generator("face", seed=1) == "gbdf" + 8 * "a"
        assert generator.vocabulary.unit == "character"
        assert generator.length == hand_made.LENGTH and generator.card == {}

    def test_subwords(self, path, proto):
        packed_files.pack(path, {"subwords.model": proto, "card.json": b"{}"})
        generator = lite.TextGenerator(path.parent)
        assert generator("if x:\n    go") == "if x:\n    go"
        assert generator.vocabulary.unit == "subword"

    def test_files_beside(self, path, proto):
        path.with_name("characters.json").write_bytes(CHARACTERS["characters.json"])
        assert lite.TextGenerator(path).vocabulary.unit == "character"
        packed_files.pack(path, {"subwords.model": proto})
        assert lite.TextGenerator(path).vocabulary.unit == "subword"


class TestErrors:
    @pytest.mark.parametrize(
        "prompt, seed, message",
        [
            ("", 0, "must have 1 to 12 characters.*Received: 0 characters"),
            ("a" * 13, 0, "export with a larger --prompt_length. Received: 13"),
            ("xyz", 0, "does not know these characters.*Received: 'xyz'"),
            (["a"], 0, "a string. Received: list"),
            ("a", 2**31, "fits into int32"),
            ("a", 1.5, "an integer.*seed=1.5"),
            ("h", 1, "has 8 characters.*different models"),
        ],
    )
    def test_prompts(self, path, prompt, seed, message):
        packed_files.pack(path, CHARACTERS)
        with pytest.raises(ValueError, match=message):
            lite.TextGenerator(path)(prompt, seed)

    @pytest.mark.parametrize(
        "part, message",
        [
            ({}, "'characters.json' is neither packed into"),
            ({"characters.json": b"[1]"}, "characters.json of .* missing or damaged"),
            ({"characters.json": b"{"}, "characters.json of .* missing or damaged"),
            ({"subwords.model": b"?"}, "subwords.model of .* is no SentencePiece"),
        ],
    )
    def test_vocabularies(self, path, part, message):
        packed_files.pack(path, part)
        with pytest.raises(ValueError, match=message):
            lite.TextGenerator(path)

    def test_file_of_another_kind(self, tmp_path):
        path = hand_made.translator(tmp_path / "a.tflite")
        message = r"not a language model.*`generate\(prompt, seed\).*lite.Translator"
        with pytest.raises(ValueError, match=message):
            lite.TextGenerator(path)
