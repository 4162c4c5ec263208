import json

import pytest

from kerasseq.data import SentenceWords, join_words, split_words

TEXTS = ["A dog.", "A cat, a dog"]


class TestBasics:
    def test_join_puts_punctuation_where_it_belongs(self):
        for text in ("a dog, and a t-shirt.", "so (it is) far!", "a [b]: c", ""):
            assert (
                join_words(split_words(text)) == SentenceWords.normalize(text) == text
            )

    def test_the_most_frequent_come_first(self):
        vocabulary = SentenceWords.of(TEXTS)
        assert vocabulary.words[4:] == ["a", "dog", ",", ".", "cat"]
        assert SentenceWords.of(TEXTS, vocabulary_size=6).words[4:] == ["a", "dog"]
        assert SentenceWords.of(TEXTS, min_count=2).words[4:] == ["a", "dog"]

    def test_there_and_back(self):
        vocabulary = SentenceWords.of(TEXTS)
        assert vocabulary.encode("A cat saw a dog.") == [4, 8, 1, 4, 5, 7]
        assert vocabulary.decode([2, 4, 8, 7, 3, 5, 0]) == "a cat."
        assert vocabulary.until_end([4, 1, 3]) == ["a", "<unknown>"]

    def test_files(self, tmp_path):
        vocabulary = SentenceWords.of(TEXTS)
        vocabulary.save(tmp_path / "v.json")
        assert SentenceWords.load(tmp_path / "v.json").words == vocabulary.words
        assert SentenceWords.from_bytes(vocabulary.to_bytes()).words == vocabulary.words
        content = json.loads(vocabulary.to_bytes())
        assert (content["unit"], content["end"]) == ("word", 3)


class TestErrors:
    def test_nothing_is_left(self):
        for options in ({"min_count": 9}, {"vocabulary_size": 4}):
            with pytest.raises(ValueError, match="No word is left.*5 different words"):
                SentenceWords.of(TEXTS, **options)

    @pytest.mark.parametrize(
        "given", [["a", "b"], [1, 2], [], ["<pad>", "<unknown>", "<start>", "a"]]
    )
    def test_no_vocabulary(self, given):
        with pytest.raises(ValueError, match="begins with"):
            SentenceWords(given)

    def test_a_word_twice(self):
        with pytest.raises(ValueError, match="each word once"):
            SentenceWords([*SentenceWords.of(TEXTS).words, "dog"])

    def test_damaged_files(self, tmp_path):
        with pytest.raises(ValueError, match="missing or damaged"):
            SentenceWords.load(tmp_path / "none.json")
        (tmp_path / "v.json").write_text("{")
        with pytest.raises(ValueError, match="v.json is damaged"):
            SentenceWords.load(tmp_path / "v.json")
