"""Words as the numbers that a tagger reads: of the word, its characters, its suffix."""

import collections
import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from kerasseq.lite._words import UNKNOWN, normalize

FIRST = 2  # the number of the first entry of each table, after padding and unknown
SUFFIX_LENGTH = 3


def word_key(word: str) -> str:
    """The entry of a word among the words: lower case, with all digits as 0.

    As where a sentence is split into words, it is in form NFC and its apostrophes are
    straight.
    """
    return "".join("0" if c.isdecimal() else c for c in normalize(word).lower())


def suffix_key(word: str) -> str:
    """The entry of a word among the suffixes.

    `A` for a capital at its beginning, else `a`, and the last three letters of
    `word_key`.
    """
    capital = _is_capital(normalize(word)[:1])
    return ("A" if capital else "a") + word_key(word)[-SUFFIX_LENGTH:]


class WordFeatures:
    """The words, characters and suffixes that a tagger knows, and the tags.

    In each table 0 is padding, 1 what it does not know, and its entries follow from 2
    on. Tags are numbered from 0 on.

    Args:
        words: List of different strings, keys as `word_key` makes them.
        tags: List of the names of the tags.
        characters: List of characters; none if the tagger does not see them.
        suffixes: List of keys as `suffix_key` makes them, or none.
        word_length: How many characters of a word count; of a longer one the last.
    """

    file_name = "vocabulary.json"

    def __init__(
        self,
        words: Iterable[str],
        tags: Iterable[str],
        characters: Iterable[str] = (),
        suffixes: Iterable[str] = (),
        word_length: int = 16,
    ) -> None:
        self.words, self.tags = list(words), list(tags)
        self.characters, self.suffixes = list(characters), list(suffixes)
        self.word_length = word_length
        self._ids = {
            name: {key: number for number, key in enumerate(table, FIRST)}
            for name, table in self._tables().items()
        }

    def _tables(self):
        names = ("words", "characters", "suffixes")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def train(
        cls,
        sentences: Sequence[tuple[list[str], list[str]]],
        *,
        kinds: Iterable[str] = ("characters", "suffixes"),
        max_words: int | None = None,
        min_count: int = 1,
        word_length: int = 16,
    ) -> Self:
        """The tables of some sentences.

        Args:
            sentences: List of `(words, tags)`.
            kinds: What is known of a word beside itself.
            max_words: How many words at most, the most frequent.
            min_count: How often a word or suffix must occur.
            word_length: As of the class.

        Raises:
            ValueError: If no word occurs so often.
        """
        words = [word for row, _ in sentences for word in row]
        tags = sorted({tag for _, row in sentences for tag in row})
        known = _frequent(map(word_key, words), min_count)[:max_words]
        if not known:
            raise ValueError(
                "No word occurs so often; lower `min_count`. Received: "
                f"min_count={min_count}, {len(words)} words"
            )
        found = {character for word in words for character in normalize(word)}
        characters = sorted(found) if "characters" in kinds else []
        suffixes = _frequent(map(suffix_key, words), min_count)
        suffixes = suffixes if "suffixes" in kinds else []
        return cls(known, tags, characters, suffixes, word_length)

    def sizes(self) -> dict[str, int]:
        """How many numbers each table has, without those that are empty."""
        tables = self._tables().items()
        return {name: FIRST + len(table) for name, table in tables if table}

    def knows(self, word: str) -> bool:
        """Whether a word has a number of its own."""
        return word_key(word) in self._ids["words"]

    def encode(self, words: Sequence[str], length: int) -> dict[str, np.ndarray]:
        """The inputs of a model for one sentence.

        Args:
            words: List of at most `length` strings.
            length: Places; those after the last word are 0.

        Returns:
            Dict of int32 arrays: `words` `(length,)` and, where the tables have them,
            `characters` `(length, word_length)` and `suffixes` `(length,)`.
        """
        found = {"words": self._row("words", map(word_key, words), length)}
        if self.characters:
            found["characters"] = np.zeros((length, self.word_length), "int32")
            for place, word in enumerate(words):
                row = self._row("characters", normalize(word), self.word_length, True)
                found["characters"][place] = row
        if self.suffixes:
            found["suffixes"] = self._row("suffixes", map(suffix_key, words), length)
        return found

    def _row(self, name, keys, length, last=False):
        ids = [self._ids[name].get(key, UNKNOWN) for key in keys]
        ids = ids[-length:] if last else ids
        row = np.zeros(length, "int32")
        row[: len(ids)] = ids
        return row

    def to_bytes(self) -> bytes:
        """The JSON that is packed into an exported file."""
        content = self._tables() | {"tags": self.tags, "word_length": self.word_length}
        return json.dumps(content, ensure_ascii=False, indent=0).encode()

    @classmethod
    def from_bytes(cls, content: bytes, source: str = "The vocabulary") -> Self:
        """Reads what `to_bytes` made; `source` is for the message.

        Raises:
            ValueError: If it is damaged.
        """
        try:
            found: dict[str, Any] = json.loads(content)
            names = ("words", "tags", "characters", "suffixes")
            words, tags, characters, suffixes = (found[name] for name in names)
            tables = [words, tags, characters, suffixes]
            if not all(isinstance(x, str) for table in tables for x in table):
                raise TypeError("not all entries are strings")
            length = int(found["word_length"])
            return cls(words, tags, characters, suffixes, length)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(
                f"{source} holds no vocabulary of a tagger; export again. "
                f"Received: {str(error)[:80]}"
            ) from error


def _is_capital(character):
    return bool(character) and unicodedata.category(character) == "Lu"


def _frequent(keys, min_count):
    counts = collections.Counter(keys)
    kept = [key for key, count in counts.items() if count >= min_count]
    return sorted(kept, key=lambda key: (-counts[key], key))
