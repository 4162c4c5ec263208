import pytest

from kerasseq import lite


def test_words_of_a_sentence():
    assert lite.Tagger.split("He didn’t.") == ["He", "didn't", "."]
    words = ["He", "did", "n’t", "."]
    assert lite.Tagger.split(words) == lite.Tagger.split(iter(words)) == words


@pytest.mark.parametrize("sentence", [5, None, b"He", ["He", ""], ["He", 1]])
def test_what_is_no_sentence(sentence):
    with pytest.raises(ValueError, match="a string, or a list of words.*Received"):
        lite.Tagger.split(sentence)
