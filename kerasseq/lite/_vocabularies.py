"""Running texts as numbers and back: characters, and subwords that lose nothing."""

import json
import os
from collections.abc import Iterable
from typing import Self

import numpy as np

from kerasseq.lite import _sentence_piece
from kerasseq.utils import atomic

Path = str | os.PathLike[str]


class Characters:
    """The characters of a text, and their numbers in order of the code points.

    Args:
        text: A string that has all of them.

    Raises:
        ValueError: for an empty text.

    Example:
        >>> characters = kerasseq.data.Characters("banana")
        >>> characters.encode("nab").tolist(), characters.decode([1, 0])
        ([2, 0, 1], 'ba')
    """

    unit = "character"
    file_name = "characters.json"

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("The text is empty; give one with characters.")
        self.characters = sorted(set(text))
        self._ids = {character: i for i, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> np.ndarray:
        """The numbers of a text's characters, an int32 array.

        Raises:
            ValueError: for a character that is not in the list.
        """
        unknown = sorted(set(text) - self._ids.keys())
        if unknown:
            raise ValueError(
                "The model does not know these characters; leave them out, or train on "
                f"a text that has them. Received: {''.join(unknown)!r}"
            )
        return np.array([self._ids[character] for character in text], "int32")

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some numbers; those below 0 are left out."""
        return "".join(self.characters[i] for i in ids if i >= 0)

    def save(self, path: Path) -> None:
        """Writes the list as JSON, for the phone."""
        atomic.write_json(path, self.characters)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            ValueError: if the file is missing or damaged.
        """
        try:
            with open(path, "rb") as file:
                return cls.from_bytes(file.read(), str(path))
        except OSError as error:
            raise _damaged(path) from error

    @classmethod
    def from_bytes(cls, content: bytes, source: str = "The vocabulary") -> Self:
        """As `load`, of what `save` wrote in memory; `source` is for the message."""
        try:
            return cls("".join(json.loads(content)))
        except (ValueError, TypeError, RecursionError) as error:
            raise _damaged(source) from error


class LosslessSubwords:
    """SentencePiece subwords that keep runs of spaces and the ends of lines.

    Characters that the training text did not have are spelt in UTF-8 bytes, so that
    every text can be encoded. One thing alone changes: "▁" (U+2581), SentencePiece's
    sign for a space, comes back as one.

    Args:
        proto: A SentencePiece model as `kerasseq.data.LosslessSubwords.train` makes it,
            as bytes.

    Reference:
        [Kudo and Richardson, 2018](https://arxiv.org/abs/1808.06226).
    """

    unit = "subword"
    file_name = "subwords.model"

    def __init__(self, proto: bytes) -> None:
        self.proto = proto
        self._processor = _sentence_piece.processor(proto)

    def __len__(self) -> int:
        return self._processor.get_piece_size()

    def encode(self, text: str) -> np.ndarray:
        """The numbers of a text's subwords, an int32 array."""
        _sentence_piece.check_text(text)
        # By lines, which end in a piece of their own: the search grows with length.
        rows = self._processor.encode(lines(text))
        return np.array([i for row in rows for i in row], "int32")

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some numbers; those below 0 are left out."""
        return self._processor.decode([int(i) for i in ids if i >= 0])

    def save(self, path: Path) -> None:
        """Writes the SentencePiece model, which a phone reads too."""
        with atomic.replace_file(path, "wb") as file:
            file.write(self.proto)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            ValueError: if the file is missing or damaged.
        """
        return cls(_sentence_piece.read(path))

    @classmethod
    def from_bytes(cls, content: bytes, source: str = "The vocabulary") -> Self:
        """As `load`, of what `save` wrote in memory; `source` is for the message."""
        _sentence_piece.check(content, source)
        return cls(content)


def lines(text: str) -> list[str]:
    """The lines, each with its end; what else ends lines in Unicode stays inside."""
    found = [line + "\n" for line in text.split("\n")]
    found[-1] = found[-1][:-1]
    return [line for line in found if line]


def _damaged(source):
    return ValueError(f"{source} is missing or damaged. Export again.")
