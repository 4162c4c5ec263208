"""Sentences as characters and their numbers, and back."""

import unicodedata
from collections.abc import Iterable

from kerasseq.lite import _sentence_tokens

_UNKNOWN = "\ufffd"  # Unicode's replacement character


class SentenceCharacters(_sentence_tokens.SentenceTokens):
    """The characters of a vocabulary and their numbers, which are their places.

    A character is a code point of Unicode's form NFC; white space becomes one space,
    and none at the ends.

    Args:
        words: List of different characters that begins with the four special words.
        lowercase: Whether texts are lower-cased first.

    Raises:
        ValueError: for anything else.

    Example:
        >>> characters = kerasseq.data.SentenceCharacters.of(["a cab"])
        >>> characters.words[4:], characters.decode([7, 4, 6, 3])
        (['a', ' ', 'b', 'c'], 'cab')
    """

    unit = "character"
    DEFAULTS = {"lowercase": False}

    @staticmethod
    def split(text: str, lowercase: bool = False, **_: bool) -> list[str]:
        """The characters of a text."""
        text = unicodedata.normalize("NFC", text.lower() if lowercase else text)
        plain = [" " if _sentence_tokens.kind(c) == " " else c for c in text]
        return list(" ".join(filter(None, "".join(plain).split(" "))))

    @staticmethod
    def join(words: Iterable[str], **_: bool) -> str:
        """The text of some characters."""
        special = _sentence_tokens.SPECIAL
        return "".join(_UNKNOWN if word in special else word for word in words)
