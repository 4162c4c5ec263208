"""A translator in one file: text in, text out."""

import os

import numpy as np

from kerasseq.lite import (
    _runner,
    _sentence_piece,
    _sentence_vocabularies,
    _task_files,
)


class Translator:
    """Translates sentences with an exported file.

    It needs NumPy, `ai_edge_litert` and, for subwords, `sentencepiece`. An app does the
    same in its own language, and this class is what its developer ports:

    1. Read `vocabulary.json` from the zip at the end of the file. If it has a
       `"target"`, the target has a vocabulary of its own, in the file of that name;
       else one serves both. `"unit"` says of what kind it is: `"word"`, `"character"`,
       or it is missing, and the SentencePiece model `subwords.model` (of a target
       `target_subwords.model`) lies beside it.
    2. Make the sentence lower case if `"lowercase"` is true, and bring words and
       characters to Unicode's form NFC. Numbers of words and characters are their
       places in the list `"words"`, and `"unknown"` for what is not in it.
       Subwords: encode the sentence with the SentencePiece model.
       Characters: one after another; white space becomes one space, and none at the
       ends.
       Words: what stands between white space. If `"punctuation"` is true, they are the
       matches of `[\\p{L}\\p{M}\\p{N}](?:S*[\\p{L}\\p{M}\\p{N}])?|S`, `S` standing for
       `[^\\p{Z}\\p{Cc}]`, and `##` is put before a match that begins where the one
       before it ends.
    3. Append the number `"end"`, fill up with zeros to the length of the input
       `source`, int32 `(1, length)`, and run the signature `beam`. If that takes a
       `prefix`, encode what the translation begins with, with the target's vocabulary,
       and fill up with -1.
    4. The outputs are `tokens`, int32 `(1, beams, length)`, best first, and `scores`,
       float32 `(1, beams)`, logarithms of probabilities. Cut each row before the first
       `"end"` of the target and leave out `"pad"` and `"start"`. Subwords: decode them
       with the SentencePiece model. Characters: join them. Words: join them with
       spaces, and if `"punctuation"` is true, remove each space before `##`, and the
       `##`.

    Args:
        path: A `.tflite` file, or a folder that holds `model.tflite`.

    Attributes:
        runner: The `kerasseq.lite.Runner` of the file.
        length: Numbers that the file takes, the end included.
        prefix_length: Numbers of a prefix that the file takes, 0 if it takes none.
        source: The vocabulary of the source: `encode`, `decode`, `unit`, `len`.
        target: That of the target, the same object if there is one for both.
        vocabulary: The content of `vocabulary.json`, a dict.
        subwords: The `sentencepiece.SentencePieceProcessor` of the source, `None` if
            it has words or characters.
        card: The content of `card.json`, `{}` if there is none.

    Raises:
        ValueError: If the file is no translator, or a part is missing or damaged.

    Example:

    ```python
    translator = lite.Translator("saved_models/published/translate")
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
        vocabularies = _sentence_vocabularies.read(path)
        self.source, self.target, self.vocabulary = vocabularies
        self.subwords = getattr(self.source, "processor", None)
        self.card = _task_files.read_card(path)
        _task_files.check_vocabulary(self.runner, path, len(self.target))

    def __call__(
        self, sentence: str, num_best: int = 1, prefix: str = ""
    ) -> list[tuple[str, float]]:
        """Translates a sentence.

        Args:
            sentence: A string.
            num_best: How many translations to return, at most; the file has but as many
                as its beams.
            prefix: What every translation begins with, for a file that was exported
                with a `prefix_length`.

        Returns:
            A list of `(text, score)`, best first.

        Raises:
            ValueError: If the sentence is empty or too long for the file, or so is the
                prefix.
        """
        _task_files.check_num_best(num_best)
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
        ids = self.source.encode(sentence)
        if not ids:
            raise ValueError("The sentence is empty. Give some text to translate.")
        if len(ids) >= self.length:
            raise ValueError(
                f"The sentence has {len(ids)} {self.source.unit}s, the file takes at "
                f"most {self.length - 1}. Split it, or export with a larger "
                f"--max_length. Received: {sentence!r}"
            )
        source = np.zeros(self.length, "int32")
        source[: len(ids) + 1] = [*ids, self.source.end]
        return source

    def _prefix(self, prefix):
        ids = self.target.encode(prefix) if prefix else []
        if len(ids) > self.prefix_length:
            raise ValueError(
                f"The prefix has {len(ids)} {self.target.unit}s, the file takes at "
                f"most {self.prefix_length}. Shorten it, or export with a larger "
                f"`prefix_length`. Received: {prefix!r}"
            )
        row = [*ids, *[-1] * (self.prefix_length - len(ids))]
        return {"prefix": np.array([row], "int32")} if row else {}

    def _decode(self, ids):
        try:
            return self.target.decode(ids)
        except IndexError as error:
            raise ValueError(
                f"The vocabulary has {len(self.target)} {self.target.unit}s, and the "
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
