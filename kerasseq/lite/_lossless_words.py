"""Sentences as words from which the same sentence comes back."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Self

from kerasseq.lite import _sentence_tokens

GLUE = "##"  # before a word that no space parts from the one before
_BETWEEN_SPACES = re.compile("[wo]+")
_WITHOUT_PUNCTUATION = re.compile("w(?:[wo]*w)?|o")
_ATTACHED = re.compile(r"\w[.,!?](?:\s|$)")


def has_attached_punctuation(texts: Iterable[str]) -> bool:
    """Whether more than one text in ten has punctuation attached to a word."""
    found = [bool(_ATTACHED.search(text)) for text in texts]
    return 10 * sum(found) > len(found)


class LosslessWords(_sentence_tokens.SentenceTokens):
    """The words of a vocabulary and their numbers, which are their places.

    A word is what stands between white space, as it is: texts that are split into
    tokens or phonemes already keep theirs. With `punctuation` signs at its ends are
    words of their own; a word without a space before it is then marked with `##`, so
    that joining gives the same text. Case is kept unless `lowercase`.

    Args:
        words: List of different strings that begins with the four special ones.
        lowercase: Whether texts are lower-cased first.
        punctuation: Whether punctuation is split off.

    Raises:
        ValueError: for other words.

    Example:
        >>> words = kerasseq.data.LosslessWords.of(["K AE1 T", "D AO1 G"])
        >>> words.decode(words.encode("K AO1 T"))
        'K AO1 T'
    """

    unit = "word"
    DEFAULTS = {"lowercase": False, "punctuation": False}

    @classmethod
    def of(
        cls,
        texts: Iterable[str],
        vocabulary_size: int | None = None,
        min_count: int = 1,
        **options: bool,
    ) -> Self:
        """The vocabulary of some texts: the most frequent words first.

        Args:
            texts: Iterable of strings.
            vocabulary_size: Number of words at most, the special ones included.
            min_count: How often a word must occur.
            **options: As of the class. Without `punctuation` the texts decide: it is
                split off where more than one in ten has it attached to a word.

        Raises:
            ValueError: if no word is left.
        """
        texts = list(texts)
        options.setdefault("punctuation", has_attached_punctuation(texts))
        return super().of(texts, vocabulary_size, min_count, **options)

    def summary(self) -> str:
        """How many words there are, and whether punctuation is split off."""
        apart = ", punctuation apart" if self.options["punctuation"] else ""
        return f"{len(self)} words{apart}"

    @staticmethod
    def split(
        text: str, lowercase: bool = False, punctuation: bool = False, **_: bool
    ) -> list[str]:
        """The words of a text, in Unicode's form NFC."""
        text = unicodedata.normalize("NFC", text.lower() if lowercase else text)
        rule = _WITHOUT_PUNCTUATION if punctuation else _BETWEEN_SPACES
        kinds = "".join(map(_sentence_tokens.kind, text))
        words, end = [], -1
        for match in rule.finditer(kinds):
            word = text[match.start() : match.end()]
            words.append(GLUE + word if match.start() == end else word)
            end = match.end()
        return words

    @staticmethod
    def join(words: Iterable[str], punctuation: bool = False, **_: bool) -> str:
        """The text of some words."""
        text = " ".join(words)
        return re.sub(r" ##(?=\S)", "", text) if punctuation else text
