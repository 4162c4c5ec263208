"""A language model in one file: the beginning of a text in, the text out."""

import os
import pathlib

import numpy as np

from kerasseq.lite import _runner, _task_files, _vocabularies, packed_files

PADDING = -1


class TextGenerator:
    """Goes on with a text, with an exported file.

    It needs NumPy and `ai_edge_litert`, for subwords also `sentencepiece`. An app does
    the same in its own language, and this class is what its developer ports:

    1. Read `characters.json` (a list, the number of a character being its place) or
       `subwords.model` (for SentencePiece) from the zip at the end of the file.
    2. Encode the prompt, characters one by one, subwords line by line with the end of
       the line in it.
    3. Fill up with -1 to the length of the input `prompt`, int32 `(1, length)`, and run
       the signature `generate` with it and `seed`, int32 `(1,)`. The same seed gives
       the same text.
    4. The output `tokens`, int32 `(1, max_length)`, holds the whole text, the prompt
       included, and -1 behind its end. Decode what is not below 0.

    Args:
        path: A `.tflite` file, or a folder that holds `model.tflite`.

    Attributes:
        runner: The `kerasseq.lite.Runner` of the file.
        length: Tokens of a prompt that the file takes at most.
        vocabulary: What encodes and decodes; its `unit` is `"character"` or
            `"subword"`.
        card: The content of `card.json`, `{}` if there is none.

    Raises:
        ValueError: If the file is no language model, or a part is missing or damaged.

    Example:

    ```python
    generator = lite.TextGenerator("saved_models/published/generate")
    generator("Once upon a time", seed=1)
    ```
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = _task_files.find(path)
        self.runner = _runner.Runner(path)
        self.length = _length(self.runner, path)
        self.vocabulary = read_vocabulary(path)
        _task_files.check_vocabulary(self.runner, path, len(self.vocabulary))
        self.card = _task_files.read_card(path)

    def __call__(self, prompt: str, seed: int = 0) -> str:
        """Goes on with a prompt.

        Args:
            prompt: A string.
            seed: An integer; each gives another text.

        Returns:
            The whole text, the prompt included.

        Raises:
            ValueError: If the prompt is empty, too long, or has characters that the
                model does not know.
        """
        ids = self._encode(prompt)
        limits = np.iinfo(np.int32)
        whole = isinstance(seed, (int, np.integer))
        if not whole or not limits.min <= seed <= limits.max:
            raise ValueError(
                f"`seed` must be an integer that fits into int32. Received: seed={seed}"
            )
        seeds = np.array([seed], "int32")
        tokens = self.runner.run("generate", prompt=ids[None], seed=seeds)["tokens"]
        try:
            return self.vocabulary.decode(tokens[0])
        except IndexError as error:
            raise ValueError(
                f"The vocabulary has {len(self.vocabulary)} {self.vocabulary.unit}s, "
                "and the model more: they are of different models. Export again."
            ) from error

    def _encode(self, prompt):
        if not isinstance(prompt, str):
            raise ValueError(f"A prompt is a string. Received: {type(prompt).__name__}")
        ids = self.vocabulary.encode(prompt)
        if not 1 <= len(ids) <= self.length:
            unit = self.vocabulary.unit
            raise ValueError(
                f"The prompt must have 1 to {self.length} {unit}s; shorten it, or "
                "export with a larger --prompt_length. Received: "
                f"{len(ids)} {unit}s"
            )
        row = np.full(self.length, PADDING, "int32")
        row[: len(ids)] = ids
        return row


def _length(runner, path):
    task, names = "a language model", (("prompt", "seed"), ("tokens",))
    found = _task_files.signature(runner, path, "generate", *names, task)
    length = _task_files.row_length(found["inputs"], "prompt")
    if not length or len(found["outputs"]["tokens"][0]) != 2:
        form = "generate(prompt (1, length), seed (1,)) -> tokens (1, length)"
        raise _task_files.not_a(task, path, runner, form)
    return length


def read_vocabulary(
    path: str | os.PathLike[str],
) -> _vocabularies.Characters | _vocabularies.LosslessSubwords:
    """The vocabulary of a language model, packed into its file or beside it.

    Raises:
        ValueError: If there is none, or it is damaged.
    """
    kinds = (_vocabularies.LosslessSubwords, _vocabularies.Characters)
    packed = packed_files.names(path)
    beside = [kind for kind in kinds if _beside(path, kind.file_name).is_file()]
    found = [kind for kind in kinds if kind.file_name in packed] + beside
    kind = found[0] if found else _vocabularies.Characters
    content = packed_files.read(path, kind.file_name)
    return kind.from_bytes(content, f"{kind.file_name} of {path}")


def _beside(path, name):
    return pathlib.Path(path).with_name(name)
