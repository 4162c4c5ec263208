"""Texts as words and their numbers, by a rule that an app writes in a few lines."""

import collections
import functools
import json
import os
import re
import unicodedata
from collections.abc import Iterable
from typing import Self

import numpy as np

from kerasseq.utils import atomic

PADDING, UNKNOWN = 0, 1
UNITS = ("words", "characters")
_FIRST = 2  # number of the first word
_WORD = re.compile("w+(?:aw+)*|[ao]")


def normalize(text: str) -> str:
    """A text in Unicode's form NFC, with straight apostrophes for curly ones."""
    return unicodedata.normalize("NFC", text).replace("\u2019", "'")


def split(text: str, unit: str = "words", lowercase: bool = True) -> list[str]:
    """The words of a text, lower-cased; punctuation is a word of its own.

    The text is brought to Unicode's form NFC and lower-cased, and a curly apostrophe
    becomes a straight one. A word is a run of letters, marks and digits, with
    apostrophes inside, as in "isn't". Any other character is a word of its own, but
    for white space and control characters. As a regular expression of Java, Kotlin,
    Swift and JavaScript:

        [\\p{L}\\p{M}\\p{N}]+(?:'[\\p{L}\\p{M}\\p{N}]+)*|[^\\p{Z}\\p{Cc}]

    Args:
        text: A string.
        unit: `"words"`, or `"characters"`: each one but white space, for languages
            that put no space between words.
        lowercase: Whether to lower-case them.

    Returns:
        A list of strings.
    """
    text = normalize(text)
    text = text.lower() if lowercase else text
    kinds = "".join(map(_kind, text))
    if unit == "characters":
        return [c for c, kind in zip(text, kinds, strict=True) if kind != " "]
    return [text[x.start() : x.end()] for x in _WORD.finditer(kinds)]


@functools.lru_cache(maxsize=1 << 14)
def _kind(character):
    """`w` of a word, `a` an apostrophe, `o` another sign, or a space."""
    if character == "'":
        return "a"
    category = unicodedata.category(character)
    if category[0] in "LMN":
        return "w"
    return " " if category[0] == "Z" or category == "Cc" else "o"


class Words:
    """The words that a model knows, and their numbers.

    0 is padding, 1 any word that it does not know, and the words follow from 2 on.

    Args:
        words: List of different strings.
        unit: What a text is split into, `"words"` or `"characters"`, see
            `kerasseq.data.split_words`.

    Raises:
        ValueError: for an empty list, one with repetitions, or an unknown unit.

    Example:
        >>> words = kerasseq.data.Words.train(["good", "Not good!"], max_words=2)
        >>> words.words, words.encode("Not so good").tolist()
        (['good', '!'], [1, 1, 2])
    """

    file_name = "vocabulary.json"

    def __init__(self, words: Iterable[str], unit: str = "words") -> None:
        self.words, self.unit = list(words), unit
        self._ids = {word: number for number, word in enumerate(self.words, _FIRST)}
        if unit not in UNITS:
            raise ValueError(f"`unit` is one of {UNITS}. Received: unit={unit!r}")
        if not self.words or len(self._ids) < len(self.words):
            raise ValueError(
                "`words` must be different, and at least one. Received: "
                f"{len(self.words)} words, {len(self._ids)} different ones"
            )

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        max_words: int | None = None,
        min_count: int = 1,
        unit: str = "words",
    ) -> Self:
        """The most frequent words of some texts.

        Args:
            texts: Strings.
            max_words: How many words at most.
            min_count: How often a word must occur.
            unit: As of the class.

        Raises:
            ValueError: if no word occurs so often.
        """
        counts = collections.Counter(word for x in texts for word in split(x, unit))
        kept = [word for word, count in counts.items() if count >= min_count]
        kept.sort(key=lambda word: (-counts[word], word))
        if not kept[:max_words]:
            raise ValueError(
                "No word occurs so often; lower `min_count`. Received: "
                f"min_count={min_count}, {len(counts)} different words"
            )
        return cls(kept[:max_words], unit)

    def __len__(self) -> int:
        """The number of ids, with those of padding and the unknown word."""
        return _FIRST + len(self.words)

    def split(self, text: str) -> list[str]:
        """The words of a text, those that the model does not know too."""
        return split(text, self.unit)

    def encode(self, text: str) -> np.ndarray:
        """The numbers of a text's words, an int32 array."""
        ids = [self._ids.get(word, UNKNOWN) for word in self.split(text)]
        return np.array(ids, "int32")

    def to_bytes(self) -> bytes:
        """The JSON that is packed into an exported file."""
        content = {"unit": self.unit, "words": self.words}
        return json.dumps(content, ensure_ascii=False, indent=0).encode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes what `to_bytes` returns."""
        with atomic.replace_file(path, "wb") as file:
            file.write(self.to_bytes())

    @classmethod
    def from_bytes(cls, content: bytes, source: str = "The vocabulary") -> Self:
        """Reads what `to_bytes` made; `source` is for the message.

        Raises:
            ValueError: if it is damaged.
        """
        try:
            found = json.loads(content)
            words, unit = found["words"], found["unit"]
            if not all(isinstance(word, str) for word in words):
                raise TypeError("not all words are strings")
            return cls(words, unit)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(
                f"{source} holds no vocabulary of words; export again. "
                f"Received: {str(error)[:80]}"
            ) from error
