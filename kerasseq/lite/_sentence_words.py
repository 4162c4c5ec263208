"""Sentences as words and their numbers, and back; a device needs no package for it."""

import re
from collections.abc import Iterable

from kerasseq.lite import _sentence_tokens, _words

_SPACE_BEFORE = re.compile(r" (?=[.,;:!?)\]}%])")
_SPACE_AFTER = re.compile(r"(?<=[(\[{]) ")
_SPACE_AROUND = re.compile(r"(?<=[^ ]) - (?=[^ ])")


def join(words: Iterable[str]) -> str:
    """The text of some words, with punctuation where a reader expects it."""
    text = _SPACE_AFTER.sub("", _SPACE_BEFORE.sub("", " ".join(words)))
    return _SPACE_AROUND.sub("-", text)


class SentenceWords(_sentence_tokens.SentenceTokens):
    """The words of a vocabulary and their numbers, which are their places.

    Words are lower-cased and tidied, which is good for captions; `LosslessWords` are
    those of translations. The first four are special: padding, an unknown word, start
    and end.

    Args:
        words: List of different strings that begins with the special ones.

    Raises:
        ValueError: for anything else.

    Example:
        >>> words = kerasseq.data.SentenceWords.of(["A dog.", "A cat."])
        >>> words.encode("a dog!"), words.decode([4, 7, 3, 0])
        ([4, 7, 1], 'a dog')
    """

    unit = "word"

    @staticmethod
    def split(text: str, **_: bool) -> list[str]:
        """The words of a text, lower-cased; punctuation is a word of its own."""
        return _words.split(text)

    @staticmethod
    def join(words: Iterable[str], **_: bool) -> str:
        """The text of some words, with punctuation where a reader expects it."""
        return join(words)

    @classmethod
    def normalize(cls, text: str) -> str:  # type: ignore[override]
        """A text as `decode` would return it, if all its words are known."""
        return cls.join(cls.split(text))
