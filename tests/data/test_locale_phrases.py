import collections
import datetime
import re

import babel
import pytest

from kerasseq import data
from kerasseq.data import _locale_names

# The module, not the function of the same name.
from kerasseq.data._locale_phrases import MAX_CHARACTERS, _split


@pytest.fixture(scope="module")
def phrases():
    return data.locale_phrases(2000, "en", "de")


def test_splits_are_disjoint_and_unique(phrases):
    assert [len(split) for split in phrases[:3]] == [1800, 100, 100]
    sources = [source.casefold() for split in phrases[:3] for source, _ in split]
    assert len(set(sources)) == 2000
    assert phrases.num_empty == 0
    assert "en to de" in phrases.name


def test_twenty_thousand_examples_hold_out_a_thousand_each():
    text = data.locale_phrases(20000)
    assert [len(split) for split in text[:3]] == [18000, 1000, 1000]
    # Lists of names are among what is held out, not numbers and dates alone.
    assert sum(" or " in source for source, _ in text.test) > 40


def test_phrases_are_short_plain_text(phrases):
    for pair in phrases.train:
        for text in pair:
            assert 0 < len(text) <= MAX_CHARACTERS
            assert text == _locale_names.normalize(text)


def test_equal_seeds_give_equal_pairs():
    assert data.locale_phrases(60, seed=3) == data.locale_phrases(60, seed=3)
    assert data.locale_phrases(60, seed=3) != data.locale_phrases(60, seed=4)


def test_both_sides_say_the_same(phrases):
    pairs = [pair for split in phrases[:3] for pair in split]
    days = [p for p in pairs if re.fullmatch(r"(?!May)[A-Z][a-z]{2} \d+, \d+", p[0])]
    assert len(days) > 20
    for english, german in days:
        day = datetime.datetime.strptime(english, "%b %d, %Y")
        assert german == day.strftime("%d.%m.%Y")
    numbers = [p for p in pairs if re.fullmatch(r"[\d,]+\.\d+", p[0])]
    assert len(numbers) > 20
    for english, german in numbers:
        assert german == english.translate(str.maketrans(",.", ".,"))


@pytest.mark.parametrize("source, target", [("en", "de"), ("fr", "ja"), ("de", "en")])
def test_the_target_is_a_function_of_the_source(source, target):
    targets = {}
    for seed in range(3):
        text = data.locale_phrases(3000, source, target, seed)
        for sentence, translation in text.train + text.validation + text.test:
            assert targets.setdefault(sentence.casefold(), translation) == translation


def test_split_leaves_every_name_in_train():
    phrases = [(("a", "b"), f"{i}", "t") for i in range(6)]
    phrases += [(None, "a alone", "t"), (("c",), "c once", "t"), ((), "12", "12")]
    train, held_out = _split(phrases, 9)
    assert held_out == [("0", "t"), ("1", "t"), ("2", "t"), ("12", "12")]
    assert len(train) == 5


def test_normalize():
    assert _locale_names.normalize("4:07\u202fPM") == "4:07 PM"
    assert _locale_names.normalize("05\u200f/04\u200f/2003") == "05/04/2003"
    assert _locale_names.normalize(" a\u200cb\u00a0 c ") == "a b c"


def test_names_that_one_locale_writes_alike_are_left_out():
    texts = {
        "one": (["Same", "Sames"], ["eins", "einse"]),
        "two": (["same"], ["zwei"]),
        "three": (["other"], ["drei"]),
        "four": (["Other"], ["drei"]),
    }
    assert _locale_names._unambiguous(texts) == ("three", "four")


def test_shared_names():
    locales = babel.Locale("en"), babel.Locale("de")
    names = _locale_names.shared_names(*locales)
    counts = collections.Counter(kind for kind, _ in names.names)
    assert counts["territories"] > 150
    assert counts["languages"] > 100
    assert counts["currencies"] > 80
    assert "length-meter" in names.units
    assert "length-mile-scandinavian" not in names.units
    assert "EUR" in names.currencies
    assert names.list_styles == ("standard", "or")


@pytest.mark.parametrize("source, target", [("ar", "ja"), ("pt-BR", "zh_Hant")])
def test_other_locales(source, target):
    text = data.locale_phrases(40, source, target)
    assert [len(split) for split in text[:3]] == [36, 2, 2]


def test_errors():
    with pytest.raises(ValueError, match=r"did you mean one of \[.*'de_DE'.*'de_D'"):
        data.locale_phrases(40, "en", "de_D")
    with pytest.raises(ValueError, match="does not know this locale"):
        data.locale_phrases(40, "", "de")
    with pytest.raises(ValueError, match="two different locales"):
        data.locale_phrases(40, "pt_BR", "pt-BR")
    with pytest.raises(ValueError, match="at least 20"):
        data.locale_phrases(19)
