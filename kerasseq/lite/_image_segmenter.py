"""A segmenter in one file: an image of any size in, masks out."""

import numbers
import os
from typing import Any

import numpy as np

from kerasseq.lite import _pixels, _runner, _task_files, tiling

CLASS_HEADS = ("mask", "edges")
FILE_NAMES = {"mask": "probabilities"}  # of heads, in the file
# Tiles lie at multiples of it: a U-Net of depth 4 then pools the same pixels.
_STRIDE = 16


class ImageSegmenter:
    """Segments images with an exported file.

    It needs NumPy and `ai_edge_litert`, to read images also Pillow. An app does the
    same in its own language, and this class is what its developer ports:

    1. Read `labels.json`, a list of names, from the zip at the end of the file.
    2. Turn the image as its EXIF orientation says, lay transparent pixels on white and
       convert it to RGB (or gray, if the input `image` has one channel).
    3. An image of the size of the input goes to the signature `serve` as it is, uint8
       from 0 to 255, `(1, height, width, channels)`: the file scales it itself.
    4. Another is cut into tiles of that size, `kerasseq.lite.tiling.predict_tiled`:
       they overlap by half, lie at multiples of 16 pixels, and each pixel is the mean
       of its tiles, with weights that fall to their edges.
    5. The outputs are `(1, height, width, channels)` by head. Of `probabilities` (the
       head `mask`) and `edges` take the largest channel of each pixel: its class.

    Args:
        path: A `.tflite` file, or a folder that holds `model.tflite`.
        overlap: Of neighboring tiles of a large image, as a fraction of their sides.

    Attributes:
        runner: The `kerasseq.lite.Runner` of the file.
        class_names: Names of the classes, a list.
        input_shape: `(height, width, channels)` of a tile.
        overlap: The argument.
        card: The content of `card.json`, `{}` if there is none.

    Raises:
        ValueError: If the file is no segmenter, or a part is missing or damaged.

    Example:

    ```python
    segmenter = lite.ImageSegmenter("saved_models/published/segment")
    segmenter(segmenter.read("cells.png"))["mask"]  # int32 (height, width)
    ```
    """

    def __init__(self, path: str | os.PathLike[str], overlap: float = 0.5) -> None:
        if not _is_fraction(overlap):
            raise ValueError(
                "`overlap` must be a number from 0 to less than 1. "
                f"Received: overlap={overlap!r}"
            )
        path = _task_files.find(path)
        self.runner = _runner.Runner(path)
        self.overlap = overlap
        self.input_shape, maps = _shapes(self.runner, path)
        self.class_names = _task_files.read_labels(path)
        self.card = _task_files.read_card(path)
        classes = maps.get(FILE_NAMES["mask"], (len(self.class_names),))[-1]
        if classes != len(self.class_names):
            raise ValueError(
                f"{path} has {classes} classes and labels.json "
                f"{len(self.class_names)}: they are of different models. Export again."
            )
        self._channels = {name: shape[-1] for name, shape in maps.items()}

    def __call__(self, image: Any) -> dict[str, np.ndarray]:
        """Segments one image.

        An image of another size than the file's is done in tiles of that size, at its
        own scale, and continued by reflection if it is smaller.

        Args:
            image: Array of integers from 0 to 255, `(height, width, channels)`.

        Returns:
            By head, class numbers `(height, width)` for `mask` and `edges`, and float32
            values `(height, width, channels)` for `reconstruction`, -1 to 1, and
            `target`.

        Raises:
            ValueError: If the image is of another kind, or of another size and the
                file's is not square.
        """
        image = _pixels.from_image(image, self.input_shape[-1])
        if image.shape == self.input_shape:
            joined = self._run(image[None])[0]
        else:
            joined = self._run_tiles(image)
        ends = np.cumsum([*self._channels.values()])[:-1]
        maps = np.split(joined, ends, axis=-1)
        return classes(dict(zip(self._channels, maps, strict=True)))

    def read(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Reads an image file with the channels that the exported file takes.

        Args:
            path: Path of the image.

        Returns:
            uint8 array `(height, width, channels)`.

        Raises:
            ValueError: If the image cannot be read.
        """
        from kerasseq.lite import image_files  # needs Pillow

        return image_files.read_image(path, num_channels=self.input_shape[-1])

    def _run(self, images):
        """All outputs side by side: `(1, height, width, all channels)`."""
        outputs = self.runner.run("serve", image=images)
        return np.concatenate([outputs[name] for name in self._channels], axis=-1)

    def _run_tiles(self, image):
        tile, width, _ = self.input_shape
        if tile != width:
            raise ValueError(
                f"The file takes images of {tile}x{width}, and only square ones can be "
                f"tiles of others. Received: an image of shape {image.shape}"
            )
        stride = min(_STRIDE, tile & -tile)
        overlap = min(round(self.overlap * tile / stride), tile // stride - 1) * stride
        return tiling.predict_tiled(
            self._run, image, tile, overlap, stride=stride, blend="smooth"
        )


def classes(outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs of a model or of a file by head, class numbers for class heads.

    Args:
        outputs: `{name: (..., channels)}`, named as heads or as outputs of a file.

    Returns:
        `{head: array}`; for `mask` and `edges` int32 without the last axis.
    """
    heads = {name: head for head, name in FILE_NAMES.items()}
    outputs = {heads.get(name, name): x for name, x in outputs.items()}
    return {
        head: x.argmax(axis=-1).astype("int32") if head in CLASS_HEADS else x
        for head, x in outputs.items()
    }


def _is_fraction(value):
    return isinstance(value, numbers.Real) and 0 <= value < 1


def _shapes(runner, path):
    """The shape of an image, and `{output: (1, height, width, channels)}`."""
    task, name = "a segmenter", "serve"
    found = _task_files.signature(runner, path, name, ("image",), (), task)
    shape, dtype = found["inputs"]["image"]
    maps = {name: shape for name, (shape, _) in found["outputs"].items()}
    equal = all(len(x) == 4 and x[:3] == shape[:3] for x in maps.values())
    fixed = len(shape) == 4 and None not in shape
    if dtype != "uint8" or not fixed or not maps or not equal:
        needs = "serve(uint8 image) -> maps of the height and width of the image"
        raise _task_files.not_a(task, path, runner, needs)
    return tuple(shape[1:]), maps
