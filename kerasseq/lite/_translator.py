"""A translator in one file: text in, text out."""

import os
from typing import Any

import numpy as np

from kerasseq.lite import _runner, _sentence_piece, _task_files, packed_files

VOCABULARY, SUBWORDS = "vocabulary.json", "subwords.model"


class Translator:
    """Translates sentences with an exported file.

    It needs NumPy, `ai_edge_litert` and `sentencepiece`. An app does the same in its
    own language, and this class is what its developer ports:

    1. Read `vocabulary.json` and `subwords.model` from the zip at the end of the file.
    2. Make the sentence lower case if `"lowercase"` is true, and encode it with the
       SentencePiece model: a list of numbers.
    3. Append the number `"end"`, fill up with zeros to the length of the input
       `source`, int32 `(1, length)`, and run the signature `beam`. If that takes a
       `prefix`, encode what the translation begins with, and fill up with -1.
    4. The outputs are `tokens`, int32 `(1, beams, length)`, best first, and `scores`,
       float32 `(1, beams)`, logarithms of probabilities. Cut each row before the first
       `"end"` and decode it with the SentencePiece model.

    Args:
        path: A `.tflite` file, or a folder that holds `model.tflite`.

    Attributes:
        runner: The `kerasseq.lite.Runner` of the file.
        length: Numbers that the file takes, the end included.
        prefix_length: Numbers of a prefix that the file takes, 0 if it takes none.
        vocabulary: The content of `vocabulary.json`, a dict.
        subwords: The `sentencepiece.SentencePieceProcessor`.
        card: The content of `card.json`, `{}` if there is none.

    Raises:
        ValueError: If the file is no translator, or a part is missing or damaged.

    Example:

    ```python
    translator = lite.Translator("saved_models/translate/model.tflite")
    translator("Thursday, May 4, 1995")  # [("Donnerstag, 4. Mai 1995", -0.002)]
    ```
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = _task_files.find(path)
        self.runner = _runner.Runner(path)
        self.length = _length(self.runner, path)
        inputs = self.runner.signatures["beam"]["inputs"]
        self.prefix_length = (
            _task_files.row_length(inputs, "prefix") if "prefix" in inputs else 0
        )
        self.vocabulary = _read_vocabulary(path)
        proto = packed_files.read(path, SUBWORDS)
        _sentence_piece.check(proto, f"{SUBWORDS} of {path}")
        self.subwords = _sentence_piece.processor(proto)
        self.card = _task_files.read_card(path)
        _check_sizes(self.vocabulary, self.subwords, path)
        pieces = self.subwords.get_piece_size()
        _task_files.check_vocabulary(self.runner, path, pieces)

    def __call__(
        self, sentence: str, num_best: int = 1, prefix: str = ""
    ) -> list[tuple[str, float]]:
        """Translates a sentence.

        Args:
            sentence: A string.
            num_best: How many translations to return; no more than the file has beams.
            prefix: What every translation begins with, for a file that was exported
                with a `prefix_length`.

        Returns:
            A list of `(text, score)`, best first.

        Raises:
            ValueError: If the sentence is empty or too long for the file, or so is the
                prefix.
        """
        if not isinstance(num_best, int) or num_best < 1:
            raise ValueError(
                "`num_best` must be a positive integer. "
                f"Received: num_best={num_best!r}"
            )
        inputs = {"source": self._encode(sentence)[None]} | self._prefix(prefix)
        outputs = self.runner.run("beam", **inputs)
        best = zip(outputs["tokens"][0], outputs["scores"][0], strict=True)
        return [(self._decode(ids), float(score)) for ids, score in best][:num_best]

    def _encode(self, sentence):
        if not isinstance(sentence, str):
            raise ValueError(
                f"A sentence is a string. Received: {type(sentence).__name__}"
            )
        _sentence_piece.check_text(sentence)
        ids = self.subwords.encode(self._cased(sentence))
        if not ids:
            raise ValueError("The sentence is empty. Give some text to translate.")
        if len(ids) >= self.length:
            raise ValueError(
                f"The sentence has {len(ids)} subwords, the file takes at most "
                f"{self.length - 1}. Split it, or export with a larger --max_length. "
                f"Received: {sentence!r}"
            )
        source = np.zeros(self.length, "int32")
        source[: len(ids) + 1] = [*ids, self.vocabulary["end"]]
        return source

    def _prefix(self, prefix):
        ids = self.subwords.encode(self._cased(prefix)) if prefix else []
        if len(ids) > self.prefix_length:
            raise ValueError(
                f"The prefix has {len(ids)} subwords, the file takes at most "
                f"{self.prefix_length}. Shorten it, or export with a larger "
                f"`prefix_length`. Received: {prefix!r}"
            )
        row = [*ids, *[-1] * (self.prefix_length - len(ids))]
        return {"prefix": np.array([row], "int32")} if row else {}

    def _cased(self, text):
        return text.lower() if self.vocabulary["lowercase"] else text

    def _decode(self, ids):
        ids = ids.tolist()
        end = self.vocabulary["end"]
        ids = ids[: ids.index(end)] if end in ids else ids
        try:
            return self.subwords.decode(ids) if ids else ""
        except IndexError as error:
            raise ValueError(
                f"{SUBWORDS} has {self.subwords.get_piece_size()} subwords, and the "
                "model more: they are of different models. Export again."
            ) from error


def _length(runner, path):
    task, names = "a translator", (("source",), ("tokens", "scores"))
    found = _task_files.signature(runner, path, "beam", *names, task)
    length = _task_files.row_length(found["inputs"], "source")
    ranks = [len(found["outputs"][name][0]) for name in names[1]]
    if not length or ranks != [3, 2]:
        form = (
            "beam(source (1, length)) -> tokens (1, beams, length), scores (1, beams)"
        )
        raise _task_files.not_a(task, path, runner, form)
    return length


def _read_vocabulary(path: str | os.PathLike[str]) -> dict[str, Any]:
    vocabulary = _task_files.read_json(path, VOCABULARY, dict)
    kinds = {"end": int, "lowercase": bool, "pieces": list}
    wrong = [k for k, kind in kinds.items() if not isinstance(vocabulary.get(k), kind)]
    if wrong:
        raise ValueError(
            f"{VOCABULARY} of {path} is not what `kerasseq.data.save_vocabulary` "
            f"writes; export again. Received: {wrong[0]}={vocabulary.get(wrong[0])!r}"
        )
    return vocabulary


def _check_sizes(vocabulary, subwords, path):
    sizes = len(vocabulary["pieces"]), subwords.get_piece_size()
    if len({*sizes}) > 1:
        raise ValueError(
            f"{VOCABULARY} and {SUBWORDS} of {path} are of different models; export "
            f"again. Received: {sizes[0]} and {sizes[1]} subwords"
        )
