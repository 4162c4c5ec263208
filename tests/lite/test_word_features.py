import numpy as np
import pytest

from kerasseq.lite import _word_features, _words

SENTENCES = [(["The", "bat", "of", "1995"], ["O", "X", "O", "O"]), (["the"], ["O"])]


def test_keys():
    assert _word_features.word_key("Bat-99") == "bat-00"
    assert _word_features.suffix_key("Flying") == "Aing"
    assert _word_features.suffix_key("7") == "a0"


def test_what_is_split_and_what_is_trained_have_the_same_entries():
    """A sentence that is a string comes in form NFC and with straight apostrophes."""
    words = ["E\u0301cafe\u0301", "don\u2019t", "'"]
    assert _word_features.word_key(words[0]) == "\xe9caf\xe9"
    assert _word_features.suffix_key(words[0]) == "Aaf\xe9"
    features = _word_features.WordFeatures.train([(words, ["X", "X", "O"])])
    split = _words.split(" ".join(words), lowercase=False)
    assert split == ["\xc9caf\xe9", "don't", "'"]
    expected = features.encode(split, 3)
    for name, row in features.encode(words, 3).items():
        assert row.min() != 1 or name == "characters"
        np.testing.assert_array_equal(row, expected[name])
    assert 1 not in expected["characters"] and features.knows("don't")


def test_tables_and_numbers():
    features = _word_features.WordFeatures.train(SENTENCES, word_length=3)
    assert features.words == ["the", "0000", "bat", "of"]  # the most frequent first
    assert features.tags == ["O", "X"]
    assert features.sizes()["words"] == 6
    assert features.knows("THE") and features.knows("1234") and not features.knows("x")
    found = features.encode(["Bat", "ox"], 3)
    assert found["words"].tolist() == [4, 1, 0]
    characters = [features.characters.index(c) + 2 for c in "at"]
    assert found["characters"].tolist() == [
        [1, *characters],
        [features.characters.index("o") + 2, 1, 0],
        [0, 0, 0],
    ]
    assert found["suffixes"].tolist() == [1, 1, 0]  # Abat and aox are new


def test_of_a_long_word_the_end_counts():
    features = _word_features.WordFeatures.train(SENTENCES, word_length=2)
    (whole,) = features.encode(["1995"], 1)["characters"]
    assert [features.characters[k - 2] for k in whole] == ["9", "5"]


def test_less_is_known_on_demand():
    train = _word_features.WordFeatures.train
    few = train(SENTENCES, kinds=(), min_count=2)
    assert few.words == ["the"] and few.sizes() == {"words": 3}
    assert [*few.encode(["the"], 2)] == ["words"]
    assert train(SENTENCES, max_words=2).words == ["the", "0000"]
    with pytest.raises(ValueError, match="min_count=9"):
        train(SENTENCES, min_count=9)


def test_kept_as_json():
    features = _word_features.WordFeatures.train(SENTENCES)
    again = _word_features.WordFeatures.from_bytes(features.to_bytes())
    words = ["The", "Ünknown", "99"]
    for name, row in features.encode(words, 4).items():
        np.testing.assert_array_equal(again.encode(words, 4)[name], row)
    for damaged in (b"", b"[]", b'{"words": [1]}', features.to_bytes()[:-5]):
        with pytest.raises(ValueError, match="holds no vocabulary of a tagger"):
            _word_features.WordFeatures.from_bytes(damaged)
