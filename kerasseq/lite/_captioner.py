"""A captioner in one file: an image in, sentences about it out."""

import os
from typing import Any

import numpy as np

from kerasseq.lite import _pixels, _runner, _sentence_words, _task_files, packed_files


class Captioner:
    """Describes images with an exported file.

    It needs NumPy and `ai_edge_litert`, to read or resize images also Pillow. An app
    does the same in its own language, and this class is what its developer ports:

    1. Read `vocabulary.json` from the zip at the end of the file: its `"words"` are a
       list, the number of a word being its place.
    2. Turn the image as its EXIF orientation says, lay transparent pixels on white,
       convert it to RGB (or gray, if the input `image` has one channel) and resize it
       to the height and width of the input, bilinear with antialias.
    3. Run the signature `beam` with the pixels as they are, uint8 from 0 to 255,
       `(1, height, width, channels)`: the file scales them itself.
    4. The outputs are `tokens`, int32 `(1, beams, length)`, best first, and `scores`,
       float32 `(1, beams)`, logarithms of probabilities. Cut each row before the first
       `"end"`, look the words up, and join them with spaces, but not before a comma, a
       full stop or another sign that closes.

    Args:
        path: A `.tflite` file, or a folder that holds `model.tflite`.

    Attributes:
        runner: The `kerasseq.lite.Runner` of the file.
        input_shape: `(height, width, channels)` of an image.
        words: The vocabulary, a list of words.
        card: The content of `card.json`, `{}` if there is none.

    Raises:
        ValueError: If the file is no captioner, or a part is missing or damaged.

    Example:

    ```python
    captioner = lite.Captioner("saved_models/caption/model.tflite")
    captioner("scene.png")  # [("a large red circle above a small blue square", -0.7)]
    ```
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = _task_files.find(path)
        self.runner = _runner.Runner(path)
        self.input_shape: tuple[int, int, int] = _input_shape(self.runner, path)
        name = _sentence_words.SentenceWords.file_name
        content = packed_files.read(path, name)
        self._vocabulary = _sentence_words.SentenceWords.from_bytes(
            content, f"{name} of {path}"
        )
        self.words = self._vocabulary.words
        self.card = _task_files.read_card(path)
        _task_files.check_vocabulary(self.runner, path, len(self.words))

    def __call__(self, image: Any, num_best: int = 1) -> list[tuple[str, float]]:
        """Describes an image.

        Args:
            image: Path of an image file, or an image of any size: array of integers
                from 0 to 255, `(height, width)` or `(height, width, channels)`, or a
                Pillow image.
            num_best: How many captions to return, at most; the file has but as many as
                its beams.

        Returns:
            A list of `(text, score)`, best first.

        Raises:
            ValueError: If the image cannot be read, or is of another kind.
        """
        _task_files.check_num_best(num_best)
        pixels = _pixels.fit(image, self.input_shape)
        outputs = self.runner.run("beam", image=pixels[None])
        best = zip(outputs["tokens"][0], outputs["scores"][0], strict=True)
        return [(self._decode(ids), float(score)) for ids, score in best][:num_best]

    def read(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Reads an image file as the exported file takes it.

        Args:
            path: Path of the image.

        Returns:
            uint8 array of the shape `input_shape`.

        Raises:
            ValueError: If the image cannot be read.
        """
        return _pixels.read(path, self.input_shape)

    def _decode(self, ids):
        try:
            return self._vocabulary.decode(ids)
        except IndexError as error:
            raise ValueError(
                f"{self._vocabulary.file_name} has {len(self.words)} words, and the "
                "model more: they are of different models. Export again."
            ) from error


def _input_shape(runner, path):
    task, names = "a captioner", (("image",), ("tokens", "scores"))
    found = _task_files.signature(runner, path, "beam", *names, task)
    shape, dtype = found["inputs"]["image"]
    ranks = [len(found["outputs"][name][0]) for name in names[1]]
    if dtype != "uint8" or len(shape) != 4 or None in shape or ranks != [3, 2]:
        form = (
            "beam(uint8 image (1, height, width, channels)) -> tokens (1, beams, "
            "length), scores (1, beams)"
        )
        raise _task_files.not_a(task, path, runner, form)
    return tuple(shape[1:])
