"""Sentences as words and their numbers, and back; a device needs no package for it."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from typing import Self

from kerasseq.lite import _words
from kerasseq.utils import atomic

PAD_ID, UNKNOWN_ID, START_ID, END_ID = 0, 1, 2, 3
SPECIAL = ("<pad>", "<unknown>", "<start>", "<end>")
_SPACE_BEFORE = re.compile(r" (?=[.,;:!?)\]}%])")
_SPACE_AFTER = re.compile(r"(?<=[(\[{]) ")
_SPACE_AROUND = re.compile(r"(?<=[^ ]) - (?=[^ ])")


def join(words: Iterable[str]) -> str:
    """The text of some words, with punctuation where a reader expects it."""
    text = _SPACE_AFTER.sub("", _SPACE_BEFORE.sub("", " ".join(words)))
    return _SPACE_AROUND.sub("-", text)


class SentenceWords:
    """The words of a vocabulary and their numbers, which are their places.

    The first four are `SPECIAL`: padding, an unknown word, start and end.

    Args:
        words: List of different strings that begins with `SPECIAL`.

    Raises:
        ValueError: for anything else.

    Example:
        >>> words = kerasseq.data.SentenceWords.of(["A dog.", "A cat."])
        >>> words.encode("a dog!"), words.decode([4, 7, 3, 0])
        ([4, 7, 1], 'a dog')
    """

    unit = "word"
    file_name = "vocabulary.json"

    def __init__(self, words: list[str]) -> None:
        texts = all(isinstance(word, str) for word in words)
        if not texts or tuple(words[: len(SPECIAL)]) != SPECIAL:
            raise ValueError(
                f"A vocabulary is a list of words that begins with {list(SPECIAL)}. "
                f"Received: {words[: len(SPECIAL)]}"
            )
        self.words = list(words)
        self._ids = {word: number for number, word in enumerate(words)}
        if len(self._ids) < len(words):
            raise ValueError("A vocabulary has each word once; remove doubles.")

    @classmethod
    def of(
        cls,
        texts: Iterable[str],
        vocabulary_size: int | None = None,
        min_count: int = 1,
    ) -> Self:
        """The vocabulary of some texts: the most frequent words first.

        Args:
            texts: Iterable of strings.
            vocabulary_size: Number of words at most, the special ones included.
            min_count: How often a word must occur.

        Raises:
            ValueError: if no word is left.
        """
        counts = Counter(word for text in texts for word in _words.split(text))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        words = [word for word, count in ranked if count >= min_count]
        words = [*SPECIAL, *words][:vocabulary_size]
        if len(words) <= len(SPECIAL):
            raise ValueError(
                "No word is left for the vocabulary; give more text, a larger "
                "`vocabulary_size` or a smaller `min_count`. Received: "
                f"{len(counts)} different words, vocabulary_size={vocabulary_size}, "
                f"min_count={min_count}"
            )
        return cls(words)

    @staticmethod
    def normalize(text: str) -> str:
        """A text as `decode` would return it, if all its words are known."""
        return join(_words.split(text))

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's words, without start and end."""
        return [self._ids.get(word, UNKNOWN_ID) for word in _words.split(text)]

    def until_end(self, ids: Iterable[int]) -> list[str]:
        """The words of some numbers up to the end, without padding and start."""
        found = []
        for number in map(int, ids):
            if number == END_ID:
                break
            if number not in (PAD_ID, START_ID):
                found.append(self.words[number])
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some numbers up to the end."""
        return join(self.until_end(ids))

    def to_bytes(self) -> bytes:
        """The vocabulary as a JSON file, for the phone."""
        return json.dumps(self._as_dict(), ensure_ascii=False).encode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes what `to_bytes` returns."""
        atomic.write_json(path, self._as_dict())

    def _as_dict(self):
        numbers = {"pad": PAD_ID, "unknown": UNKNOWN_ID, "start": START_ID}
        return {"unit": self.unit, "words": self.words, **numbers, "end": END_ID}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads what `save` wrote.

        Raises:
            ValueError: if the file is missing or damaged.
        """
        try:
            with open(path, "rb") as file:
                return cls.from_bytes(file.read(), str(path))
        except OSError as error:
            raise ValueError(f"{path} is missing or damaged. Export again.") from error

    @classmethod
    def from_bytes(cls, content: bytes, source: str = "The vocabulary") -> Self:
        """As `load`, of bytes in memory; `source` is for the message."""
        try:
            return cls(json.loads(content)["words"])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(
                f"{source} is damaged; export again. Received: {error}"
            ) from error
