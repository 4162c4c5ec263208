"""A text classifier in one file: a text in, its class out."""

import os

import numpy as np

from kerasseq.lite import _runner, _task_files, _words, packed_files


class TextClassifier:
    """Classifies texts with an exported file.

    It needs NumPy and `ai_edge_litert`. An app does the same in its own language, and
    this class is what its developer ports:

    1. Read `vocabulary.json` (`unit`, and `words`, a list) and `labels.json` (a list
       of names) from the zip at the end of the file.
    2. Bring the text to Unicode's form NFC, lower-case it, write ' for U+2019, and
       find all matches of

           [\\p{L}\\p{M}\\p{N}]+(?:'[\\p{L}\\p{M}\\p{N}]+)*|[^\\p{Z}\\p{Cc}]

       or of its last part alone where `unit` is `"characters"`.
    3. The number of a word is its place in `words`, from 0, plus 2; of a word that is
       not there it is 1.
    4. Keep as many numbers as the input `tokens` is long, int32 `(1, length)`, fill up
       with 0 on the right, and run the signature `serve`.
    5. The output `probabilities`, float32 `(1, num_classes)`, is in the order of the
       names; it is calibrated inside the file. A model with attention also returns
       `attention`, float32 `(1, length)`, the weight of each word.

    Args:
        path: A `.tflite` file, or a folder that holds `model.tflite`.

    Attributes:
        runner: The `kerasseq.lite.Runner` of the file.
        class_names: Names of the classes, a list.
        vocabulary: What splits and encodes texts, a `kerasseq.data.Words`.
        length: Words that the file reads; what follows them in a text is left out.
        card: The content of `card.json`, `{}` if there is none.

    Raises:
        ValueError: If the file is no text classifier, or a part is missing or damaged.

    Example:

    ```python
    classifier = lite.TextClassifier("saved_models/published/classify_text")
    classifier.classify("The soup was not bad.")  # ("positive", 0.99)
    ```
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = _task_files.find(path)
        self.runner = _runner.Runner(path)
        task, needs = "a text classifier", (("tokens",), ("probabilities",))
        found = _task_files.signature(self.runner, path, "serve", *needs, task)
        self.length = _task_files.row_length(found["inputs"], "tokens")
        shape, _ = found["outputs"]["probabilities"]
        if not self.length or len(shape) != 2:
            form = "serve(int32 tokens (1, length)) -> probabilities (1, num_classes)"
            raise _task_files.not_a(task, path, self.runner, form)
        self.class_names = _task_files.read_labels(path)
        self.vocabulary = read_vocabulary(path)
        self.card = _task_files.read_card(path)
        if shape[-1] != len(self.class_names):
            raise ValueError(
                f"{path} has {shape[-1]} classes and labels.json "
                f"{len(self.class_names)}: they are of different models. Export again."
            )

    def __call__(self, text: str) -> np.ndarray:
        """Returns the probabilities of the classes.

        Args:
            text: A string.

        Returns:
            float32 array `(num_classes,)`.

        Raises:
            ValueError: If it is no string, or has no words.
        """
        return self._run(text)["probabilities"][0]

    def classify(self, text: str) -> tuple[str, float]:
        """Returns the class of a text and its probability.

        Args:
            text: A string.

        Returns:
            `(class name, probability)`.

        Raises:
            ValueError: If it is no string, or has no words.
        """
        probabilities = self(text)
        best = int(probabilities.argmax())
        return self.class_names[best], float(probabilities[best])

    def attention(self, text: str) -> list[tuple[str, float]]:
        """Returns the words that were read and the weight of each.

        Args:
            text: A string.

        Returns:
            A list of `(word, weight)`, weights from 0 to 1.

        Raises:
            ValueError: If it is no string, or has no words, or the model no attention.
        """
        outputs = self._run(text)
        if "attention" not in outputs:
            raise ValueError(
                "This model pools its words in another way; train and export one with "
                f"--pooling=attention. Received: outputs {', '.join(outputs)}"
            )
        words = self.vocabulary.split(text)[: self.length]
        weights = outputs["attention"][0, : len(words)].tolist()
        return list(zip(words, weights, strict=True))

    def stream(self) -> "TextStream":
        """Classifies a text that comes bit by bit.

        Raises:
            ValueError: If the file has no signature `step`: the model needs the whole
                text.
        """
        if "step" not in self.runner.signatures:
            raise ValueError(
                "The file has no signature `step`: its model needs the whole text. "
                "Train with --arch=gru or another cell, and --pooling=last, to "
                "classify word by word."
            )
        return TextStream(self)

    def _run(self, text):
        ids = _encode(self.vocabulary, text)[: self.length]
        tokens = np.zeros((1, self.length), "int32")
        tokens[0, : len(ids)] = ids
        return self.runner.run("serve", tokens=tokens)


class TextStream:
    """One text that comes bit by bit; made by `TextClassifier.stream`.

    Example:

    ```python
    stream = classifier.stream()
    for part in ("The soup", "was", "not bad."):
        stream(part)  # ("positive", 0.98): of the text so far
    ```
    """

    def __init__(self, classifier: TextClassifier) -> None:
        self._classifier = classifier
        self._step = classifier.runner.stateful("step")

    def __call__(self, text: str) -> tuple[str, float]:
        """The class of the text so far and its probability.

        Args:
            text: What comes next, one word or more; each is read whole.

        Raises:
            ValueError: If it is no string, or there is no word in it.
        """
        for number in _encode(self._classifier.vocabulary, text):
            outputs = self._step(tokens=np.array([[number]], "int32"))
        probabilities = outputs["probabilities"][0]
        best = int(probabilities.argmax())
        return self._classifier.class_names[best], float(probabilities[best])

    def reset(self) -> None:
        """Begins a new text."""
        self._step.reset()


def _encode(vocabulary, text):
    if not isinstance(text, str):
        raise ValueError(f"A text is a string. Received: {type(text).__name__}")
    ids = vocabulary.encode(text)
    if not len(ids):
        raise ValueError(f"The text has no words. Received: {text[:60]!r}")
    return ids


def read_vocabulary(path: str | os.PathLike[str]) -> _words.Words:
    """The words of a model, packed into its file or beside it.

    Raises:
        ValueError: If there are none, or they are damaged.
    """
    name = _words.Words.file_name
    return _words.Words.from_bytes(packed_files.read(path, name), f"{name} of {path}")
