"""An image classifier in one file: an image in, its class out."""

import os
from typing import Any

import numpy as np

from kerasseq.lite import _pixels, _runner, _task_files


class ImageClassifier:
    """Classifies images with an exported file.

    It needs NumPy and `ai_edge_litert`, to read or resize images also Pillow. An app
    does the same in its own language, and this class is what its developer ports:

    1. Read `labels.json`, a list of names, from the zip at the end of the file.
    2. Turn the image as its EXIF orientation says, lay transparent pixels on white,
       convert it to RGB (or gray, if the input `image` has one channel) and resize it
       to the height and width of the input, bilinear with antialias.
    3. Run the signature `serve` with the pixels as they are, uint8 from 0 to 255,
       `(1, height, width, channels)`: the file scales them itself.
    4. The output `probabilities`, float32 `(1, num_classes)`, is in the order of the
       names.

    Args:
        path: A `.tflite` file, or a folder that holds `model.tflite`.

    Attributes:
        runner: The `kerasseq.lite.Runner` of the file.
        class_names: Names of the classes, a list.
        input_shape: `(height, width, channels)` of an image.
        card: The content of `card.json`, `{}` if there is none.

    Raises:
        ValueError: If the file is no image classifier, or a part is missing or damaged.

    Example:

    ```python
    classifier = lite.ImageClassifier("saved_models/published/classify_image")
    classifier.classify("cat.jpg")  # ("cat", 0.98)
    ```
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = _task_files.find(path)
        self.runner = _runner.Runner(path)
        task, needs = "an image classifier", (("image",), ("probabilities",))
        found = _task_files.signature(self.runner, path, "serve", *needs, task)
        shape, dtype = found["inputs"]["image"]
        scores, _ = found["outputs"]["probabilities"]
        if dtype != "uint8" or len(shape) != 4 or None in shape or len(scores) != 2:
            form = "serve(uint8 image) -> probabilities (1, num_classes)"
            raise _task_files.not_a(task, path, self.runner, form)
        self.input_shape: tuple[int, int, int] = tuple(shape[1:])
        self.class_names = _task_files.read_labels(path)
        self.card = _task_files.read_card(path)
        if scores[-1] != len(self.class_names):
            raise ValueError(
                f"{path} has {scores[-1]} classes and labels.json "
                f"{len(self.class_names)}: they are of different models. Export again."
            )

    def __call__(self, image: Any) -> np.ndarray:
        """Returns the probabilities of the classes.

        Args:
            image: Array of integers from 0 to 255, of the shape `input_shape`.

        Returns:
            float32 array `(num_classes,)`.

        Raises:
            ValueError: If the image is of another shape or kind.
        """
        image = _pixels.from_image(image, self.input_shape[-1])
        if image.shape != self.input_shape:
            raise ValueError(
                f"The file takes images of the shape {self.input_shape}; `classify` "
                f"resizes others. Received: an image of shape {image.shape}"
            )
        return self.runner.run("serve", image=image[None])["probabilities"][0]

    def classify(self, image: Any) -> tuple[str, float]:
        """Returns the class of an image and its probability.

        Args:
            image: Path of an image file, or an image of any size as for a call.

        Returns:
            `(class name, probability)`.

        Raises:
            ValueError: If the image cannot be read, or is of another kind.
        """
        probabilities = self(_pixels.fit(image, self.input_shape))
        best = int(probabilities.argmax())
        return self.class_names[best], float(probabilities[best])

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
