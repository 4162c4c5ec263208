"""Sentences as SentencePiece subwords and their numbers, and back."""

import json
from collections.abc import Iterable
from typing import Any

from kerasseq.lite import _sentence_piece
from kerasseq.lite._sentence_tokens import END_ID, PAD_ID, START_ID, UNKNOWN_ID


def as_dict(processor: Any) -> dict[str, Any]:
    """What `vocabulary.json` says about a `sentencepiece.SentencePieceProcessor`."""
    ids = range(processor.vocab_size())
    return {
        "pieces": [processor.id_to_piece(i) for i in ids],
        "scores": [processor.get_score(i) for i in ids],
        "pad": PAD_ID,
        "unknown": UNKNOWN_ID,
        "start": START_ID,
        "end": END_ID,
    }


class SentenceSubwords:
    """The subwords of a SentencePiece model, as `SentenceWords` has words.

    Args:
        proto: The model, bytes, as `kerasseq.data.train_subwords` writes it.
        lowercase: Whether texts are lower-cased first.
        end: Number of the end.
    """

    unit = "subword"
    file_name = "subwords.model"

    def __init__(
        self, proto: bytes, lowercase: bool = False, end: int = END_ID
    ) -> None:
        self.proto, self.lowercase, self.end = proto, lowercase, end
        self.processor = _sentence_piece.processor(proto)

    def __len__(self) -> int:
        return self.processor.get_piece_size()

    def summary(self) -> str:
        """How many subwords there are."""
        return f"{len(self)} {self.unit}s"

    @staticmethod
    def normalize(text: str) -> str:
        """The text as it is: what SentencePiece tidies counts as an error."""
        return text

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's subwords, without start and end."""
        return self.processor.encode(text.lower() if self.lowercase else text)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some numbers up to the end."""
        numbers = list(map(int, ids))
        if self.end in numbers:
            numbers = numbers[: numbers.index(self.end)]
        shown = [i for i in numbers if not self.processor.is_control(i)]
        return self.processor.decode(shown) if shown else ""

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """The subword of each number, the special ones too."""
        return [self.processor.id_to_piece(int(number)) for number in ids]

    def to_bytes(self) -> bytes:
        """The SentencePiece model."""
        return self.proto

    def files(self) -> dict[str, bytes]:
        """What an app needs, `{name: bytes}`: the subwords in two forms.

        `subwords.model` is for the SentencePiece library, `vocabulary.json` for what
        has none, as a browser.
        """
        content = {**as_dict(self.processor), "lowercase": self.lowercase}
        text = json.dumps(content, ensure_ascii=False)
        return {"vocabulary.json": text.encode(), self.file_name: self.proto}
