"""Sentences as tokens and their numbers, and back: what words and characters share."""

import functools
import json
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from kerasseq.utils import atomic

PAD_ID, UNKNOWN_ID, START_ID, END_ID = 0, 1, 2, 3
SPECIAL = ("<pad>", "<unknown>", "<start>", "<end>")
_DAMAGES = (ValueError, TypeError, KeyError, AttributeError)


@functools.lru_cache(maxsize=1 << 14)
def kind(character: str) -> str:
    """`w` for a letter, mark or digit, a space for white space, `o` for all else."""
    category = unicodedata.category(character)
    if category[0] in "LMN":
        return "w"
    return " " if category[0] == "Z" or category == "Cc" else "o"


class SentenceTokens:
    """Tokens of a vocabulary and their numbers, which are their places.

    The first four are `SPECIAL`: padding, an unknown token, start and end. A class of
    it says how a text is split into tokens and joined again.

    Args:
        words: List of different strings that begins with `SPECIAL`.
        **options: How `split` and `join` do it, booleans named in `DEFAULTS`.

    Raises:
        ValueError: for anything else.
    """

    unit: ClassVar[str]
    file_name = "vocabulary.json"
    DEFAULTS: ClassVar[Mapping[str, bool]] = {}
    end = END_ID

    def __init__(self, words: list[str], **options: bool) -> None:
        texts = all(isinstance(word, str) for word in words)
        if not texts or tuple(words[: len(SPECIAL)]) != SPECIAL:
            raise ValueError(
                f"A vocabulary is a list of {self.unit}s that begins with "
                f"{list(SPECIAL)}. Received: {words[: len(SPECIAL)]}"
            )
        if len({*words}) < len(words):
            raise ValueError(f"A vocabulary has each {self.unit} once; remove doubles.")
        self.words = list(words)
        self.options = {**self.DEFAULTS, **options}
        known = words[len(SPECIAL) :]
        self._ids = {word: number for number, word in enumerate(known, len(SPECIAL))}

    @classmethod
    def of(
        cls,
        texts: Iterable[str],
        vocabulary_size: int | None = None,
        min_count: int = 1,
        **options: bool,
    ) -> Self:
        """The vocabulary of some texts: the most frequent tokens first.

        Args:
            texts: Iterable of strings.
            vocabulary_size: Number of tokens at most, the special ones included.
            min_count: How often a token must occur.
            **options: As of the class.

        Raises:
            ValueError: if no token is left.
        """
        counts = Counter(word for text in texts for word in cls.split(text, **options))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        words = [word for word, count in ranked if count >= min_count]
        words = [*SPECIAL, *(word for word in words if word not in SPECIAL)]
        words = words[:vocabulary_size]
        if len(words) <= len(SPECIAL):
            raise ValueError(
                f"No {cls.unit} is left for the vocabulary; give more text, a larger "
                "`vocabulary_size` or a smaller `min_count`. Received: "
                f"{len(counts)} different {cls.unit}s, "
                f"vocabulary_size={vocabulary_size}, min_count={min_count}"
            )
        return cls(words, **options)

    @staticmethod
    def split(text: str, **options: bool) -> list[str]:
        """The tokens of a text."""
        raise NotImplementedError

    @staticmethod
    def join(words: Iterable[str], **options: bool) -> str:
        """The text of some tokens."""
        raise NotImplementedError

    def normalize(self, text: str) -> str:
        """A text as `decode` returns it, if all its tokens are known."""
        return self.join(self.split(text, **self.options), **self.options)

    def __len__(self) -> int:
        return len(self.words)

    def summary(self) -> str:
        """How many tokens there are."""
        return f"{len(self)} {self.unit}s"

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's tokens, without start and end."""
        found = self.split(text, **self.options)
        return [self._ids.get(word, UNKNOWN_ID) for word in found]

    def until_end(self, ids: Iterable[int]) -> list[str]:
        """The tokens of some numbers up to the end, without padding and start."""
        found = []
        for number in map(int, ids):
            if number == END_ID:
                break
            if number not in (PAD_ID, START_ID):
                found.append(self.words[number])
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some numbers up to the end."""
        return self.join(self.until_end(ids), **self.options)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The token of each number, the special ones too."""
        return [self.words[int(number)] for number in ids]

    def to_bytes(self) -> bytes:
        """The vocabulary as a JSON file, for the phone."""
        return json.dumps(self._as_dict(), ensure_ascii=False).encode()

    def files(self) -> dict[str, bytes]:
        """What an app needs, `{name: bytes}`."""
        return {self.file_name: self.to_bytes()}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes what `to_bytes` returns."""
        atomic.write_json(path, self._as_dict())

    def _as_dict(self) -> dict[str, Any]:
        numbers = {"pad": PAD_ID, "unknown": UNKNOWN_ID, "start": START_ID}
        numbers["end"] = END_ID
        return {"unit": self.unit, "words": self.words, **numbers, **self.options}

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
            found = json.loads(content)
            words, unit = found["words"], found.get("unit", cls.unit)
            if unit == cls.unit:
                return cls(words, **cls._options(found))
        except (*_DAMAGES, RecursionError) as error:
            raise ValueError(
                f"{source} is damaged; export again. Received: {error}"
            ) from error
        raise ValueError(f"{source} was made with another `unit`. Received: {unit}s")

    @classmethod
    def _options(cls, found):
        options = {name: found[name] for name in cls.DEFAULTS}
        if not all(isinstance(value, bool) for value in options.values()):
            raise TypeError(f"{options} are not true or false")
        return options
