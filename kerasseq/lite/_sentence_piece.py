"""Reading of SentencePiece models, with errors that say what to do."""

import functools
import os
import pathlib
from typing import Any


def read(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a model's file.

    Raises:
        ValueError: If it is missing or no SentencePiece model.
    """
    try:
        proto = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise ValueError(
            f"Cannot read the vocabulary {str(path)!r} ({error.strerror}); train one "
            "first"
        ) from error
    check(proto, repr(str(path)))
    return proto


def check(proto: bytes, source: str) -> None:
    """Raises if bytes are no model.

    Args:
        proto: The bytes.
        source: How the message names where they come from.

    Raises:
        ValueError: If they are no SentencePiece model.
    """
    try:
        processor(proto)
    except RuntimeError as error:
        raise ValueError(
            f"{source} is no SentencePiece model (or a damaged one); train it anew. "
            f"Received: {len(proto)} bytes"
        ) from error


@functools.lru_cache(maxsize=4)
def processor(proto: bytes) -> Any:
    """The `sentencepiece.SentencePieceProcessor` of a model's bytes."""
    if not proto:
        raise RuntimeError("An empty file would pass for a model without pieces.")
    try:
        import sentencepiece  # on a device without subwords it is not there
    except ImportError as error:
        raise ImportError(
            "Subwords need SentencePiece: `pip install sentencepiece`."
        ) from error
    return sentencepiece.SentencePieceProcessor(model_proto=proto)


def check_text(text: str) -> None:
    """Raises if a text cannot be encoded.

    Raises:
        ValueError: For half a surrogate pair, which bytes that are not UTF-8 become
            where they are read as text.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"The text is not Unicode; save it as UTF-8. Received: {text!r}"
        ) from error
