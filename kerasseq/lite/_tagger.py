"""A tagger in one file: words in, a tag for each word out."""

import os
from collections.abc import Iterable, Sequence

import numpy as np

from kerasseq.lite import (
    _runner,
    _task_files,
    _word_features,
    _words,
    packed_files,
)


class Tagger:
    """Tags the words of sentences with an exported file.

    It needs NumPy and `ai_edge_litert`. An app does the same in its own language, and
    this class is what its developer ports:

    1. Read `vocabulary.json` from the zip at the end of the file.
    2. Bring each word to Unicode's form NFC, write ' for U+2019, and look up its
       number: in `"words"` in lower case with all digits as 0; where the file has the
       input `characters`, each of its characters in `"characters"`; where it has
       `suffixes`, in `"suffixes"` an `A` (if it begins with a capital) or `a` and the
       last three letters of the first. Numbers begin at 2; 1 is what is not in the
       list, and 0 fills up.
    3. Run the signature `tag` with `words`, int32 `(1, length)`, and `characters`,
       int32 `(1, length, word_length)`, and `suffixes`, `(1, length)`.
    4. The output `tags`, int32 `(1, length)`, has the places of the tags in `"tags"`;
       `scores`, float32 `(1, length)`, their probabilities.

    A file of a model that reads forward also has the signature `step`, which takes one
    word at a time, see `stream`.

    Args:
        path: A `.tflite` file, or a folder that holds `model.tflite`.

    Attributes:
        runner: The `kerasseq.lite.Runner` of the file.
        length: Words that the file takes at most.
        tags: Names of the tags, a list.
        card: The content of `card.json`, `{}` if there is none.

    Raises:
        ValueError: If the file is no tagger, or a part is missing or damaged.

    Example:

    ```python
    tagger = lite.Tagger("saved_models/published/tag")
    tagger("The bat flew away .")  # [("The", "O"), ("bat", "ANIMAL"), ...]
    ```
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = _task_files.find(path)
        self.runner = _runner.Runner(path)
        task, needs = "a tagger", (("words",), ("tags", "scores"))
        found = _task_files.signature(self.runner, path, "tag", *needs, task)
        self.length = _task_files.row_length(found["inputs"], "words")
        name = _word_features.WordFeatures.file_name
        content = packed_files.read(path, name)
        self.features = _word_features.WordFeatures.from_bytes(
            content, f"{name} of {path}"
        )
        self.tags = self.features.tags
        self.card = _task_files.read_card(path)
        expected = self.features.encode([], max(self.length, 1))
        shapes = {name: tuple(shape) for name, (shape, _) in found["inputs"].items()}
        if shapes != {name: (1, *row.shape) for name, row in expected.items()}:
            raise ValueError(
                f"{path} and its {name} do not fit together: they are of different "
                f"models. Export again. Received: inputs {shapes}"
            )

    def __call__(self, sentence: str | Sequence[str]) -> list[tuple[str, str]]:
        """Tags the words of a sentence.

        Args:
            sentence: A list of words; or a string, which is split into words, and
                signs, which stand alone, as `kerasseq.data.split_words` does.

        Returns:
            A list of `(word, tag)`.

        Raises:
            ValueError: If the sentence is empty or too long for the file.
        """
        words = self.split(sentence)
        numbers, _ = self.run(words)
        names = [self.tags[number] for number in numbers]
        return list(zip(words, names, strict=True))

    def run(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The tags of a sentence as numbers, and their probabilities.

        Args:
            words: A list of words.

        Returns:
            `(tags, scores)`, int32 and float32 arrays `(num_words,)`.
        """
        if not words:
            raise ValueError("The sentence is empty. Give some words to tag.")
        if len(words) > self.length:
            raise ValueError(
                f"The sentence has {len(words)} words, the file takes at most "
                f"{self.length}. Split it, or export with a larger --max_length. "
                f"Received: {' '.join(words)!r}"
            )
        found = self.runner.run("tag", **_batch(self.features, words, self.length))
        tags, scores = (found[name][0, : len(words)] for name in ("tags", "scores"))
        return tags, scores

    def stream(self) -> "TaggerStream":
        """Tags words one by one, each as soon as it is there.

        Raises:
            ValueError: If the file has no signature `step`: the model reads both ways,
                or scores tags together.
        """
        if "step" not in self.runner.signatures:
            raise ValueError(
                "The file has no signature `step`: its model needs the whole sentence. "
                "Train with --arch=lstm or gru and without --crf to tag word by word."
            )
        return TaggerStream(self)

    @staticmethod
    def split(sentence: str | Sequence[str]) -> list[str]:
        """The words of a sentence: of a string, split; of a list, themselves."""
        if isinstance(sentence, str):
            return _words.split(sentence, lowercase=False)
        words = list(sentence) if isinstance(sentence, Iterable) else [sentence]
        if not all(isinstance(word, str) and word for word in words):
            raise ValueError(
                "A sentence is a string, or a list of words, none of them empty. "
                f"Received: {sentence!r}"
            )
        return words


class TaggerStream:
    """One sentence that comes word by word; made by `Tagger.stream`.

    Example:

    ```python
    stream = tagger.stream()
    for word in ("The", "bat"):
        stream(word)  # ("O", 0.99)
    ```
    """

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger
        self._step = tagger.runner.stateful("step")

    def __call__(self, word: str) -> tuple[str, float]:
        """The tag of the next word, and its probability."""
        (word,) = self._tagger.split([word])
        found = self._step(**_batch(self._tagger.features, [word], 1))
        tag, score = (found[name].item() for name in ("tags", "scores"))
        return self._tagger.tags[tag], score

    def reset(self) -> None:
        """Begins a new sentence."""
        self._step.reset()


def _batch(features, words, length):
    return {name: row[None] for name, row in features.encode(words, length).items()}
