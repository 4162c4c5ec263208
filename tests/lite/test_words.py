"""The rule that splits texts, and the numbers of words."""

import json

import pytest

from kerasseq import data
from kerasseq.lite import _words


class TestSplit:
    @pytest.mark.parametrize(
        "text, words",
        [
            ("It's GOOD, isn't it?!", ["it's", "good", ",", "isn't", "it", "?", "!"]),
            ("don\u2019t", ["don't"]),
            ("'quoted' dogs'", ["'", "quoted", "'", "dogs", "'"]),
            ("a_b 3.5% x-y", ["a", "_", "b", "3", ".", "5", "%", "x", "-", "y"]),
            ("cafe\u0301", ["caf\u00e9"]),
            (
                "\u0939\u093f\u0928\u094d\u0926\u0940",
                ["\u0939\u093f\u0928\u094d\u0926\u0940"],
            ),
            ("a\u00a0b\u2003c\td\x00e", ["a", "b", "c", "d", "e"]),
            (" \n\u2028", []),
            ("", []),
        ],
    )
    def test_words(self, text, words):
        assert _words.split(text) == words

    def test_characters(self):
        assert _words.split("\u65e5 \u672c!", "characters") == ["\u65e5", "\u672c", "!"]


class TestWords:
    def test_the_most_frequent_come_first(self):
        words = data.Words.train(["b b a a c", "b"], max_words=2)
        assert words.words == ["b", "a"] and len(words) == 4
        assert words.encode("A c B").tolist() == [3, 1, 2]
        assert words.encode("A").dtype == "int32"
        assert data.Words.train(["b b a"], min_count=2).words == ["b"]

    def test_saved_and_read(self, tmp_path):
        words = data.Words(["x", "\u00e9", '"'], "characters")
        words.save(tmp_path / "vocabulary.json")
        content = (tmp_path / "vocabulary.json").read_bytes()
        found = data.Words.from_bytes(content)
        assert (found.words, found.unit) == (words.words, "characters")
        assert json.loads(content)["words"] == words.words


class TestErrors:
    @pytest.mark.parametrize(
        "make, message",
        [
            (lambda: data.Words([]), "0 words"),
            (lambda: data.Words(["a", "a"]), "2 words, 1 different"),
            (lambda: data.Words(["a"], "syllables"), "unit='syllables'"),
            (lambda: data.Words.train(["a b"], min_count=2), "min_count=2, 2 diff"),
        ],
    )
    def test_bad_arguments(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()

    @pytest.mark.parametrize(
        "content",
        [b"{", b"[1]", b"{}", b'{"words": [1], "unit": "words"}', b'{"words": []}'],
    )
    def test_damaged_files(self, content):
        with pytest.raises(ValueError, match="the file holds no vocabulary of words"):
            data.Words.from_bytes(content, "the file")
