"""The vocabularies of a translator: subwords, words or characters, of each side."""

import json
from typing import Any

from kerasseq.lite import (
    _lossless_words,
    _sentence_characters,
    _sentence_piece,
    _sentence_subwords,
    _task_files,
    packed_files,
)

VOCABULARY, SUBWORDS = "vocabulary.json", "subwords.model"
TARGET = "target_"  # before the names of the target's files, where it has its own
TOKENS = {
    "word": _lossless_words.LosslessWords,
    "character": _sentence_characters.SentenceCharacters,
}
UNITS = ("subword", *TOKENS)


def read(path: _task_files.Path) -> tuple[Any, Any, dict[str, Any]]:
    """Reads the vocabularies of a translator.

    Args:
        path: Path of the `.tflite` file.

    Returns:
        The vocabulary of the source, that of the target, which may be the same, and
        the content of `vocabulary.json`.

    Raises:
        ValueError: If one is missing or damaged.
    """
    content = _task_files.read_json(path, VOCABULARY, dict)
    source = _vocabulary(path, content, "")
    if not content.get("target"):
        return source, source, content
    target = _task_files.read_json(path, TARGET + VOCABULARY, dict)
    return source, _vocabulary(path, target, TARGET), content


def files(source: Any, target: Any) -> dict[str, bytes]:
    """What is packed into a translator's file, `{name: bytes}`.

    Args:
        source: The vocabulary of the source.
        target: That of the target, the same object if there is one for both.
    """
    found = source.files()
    if target is source:
        return found
    content = json.loads(found[VOCABULARY]) | {"target": TARGET + VOCABULARY}
    found[VOCABULARY] = json.dumps(content, ensure_ascii=False).encode()
    return found | {TARGET + name: x for name, x in target.files().items()}


def _vocabulary(path, content, prefix):
    unit = content.get("unit", "subword")  # subwords do not say so
    if unit == "subword":
        return _subwords(path, content, prefix)
    if not isinstance(unit, str) or unit not in TOKENS:
        raise ValueError(
            f"{prefix}{VOCABULARY} of {path} is of an unknown kind; export again. "
            f"Received: unit={unit!r}"
        )
    name = prefix + VOCABULARY
    return TOKENS[unit].from_bytes(packed_files.read(path, name), f"{name} of {path}")


def _subwords(path, content, prefix):
    kinds = {"end": int, "lowercase": bool, "pieces": list}
    wrong = [k for k, kind in kinds.items() if not isinstance(content.get(k), kind)]
    if wrong:
        raise ValueError(
            f"{prefix}{VOCABULARY} of {path} is not what "
            "`kerasseq.data.save_vocabulary` writes; export again. Received: "
            f"{wrong[0]}={content.get(wrong[0])!r}"
        )
    proto = packed_files.read(path, prefix + SUBWORDS)
    _sentence_piece.check(proto, f"{prefix}{SUBWORDS} of {path}")
    found = _sentence_subwords.SentenceSubwords(
        proto, content["lowercase"], content["end"]
    )
    sizes = len(content["pieces"]), len(found)
    if len({*sizes}) > 1:
        raise ValueError(
            f"{prefix}{VOCABULARY} and {prefix}{SUBWORDS} of {path} are of different "
            f"models; export again. Received: {sizes[0]} and {sizes[1]} subwords"
        )
    return found
