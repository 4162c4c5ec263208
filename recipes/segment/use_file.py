"""What a phone does with an exported segmenter, in Python.

Needs `ai_edge_litert`, NumPy and Pillow; neither TensorFlow nor Keras.
`recipes.segment --images` is the command for it.
"""

import pathlib
import time

import numpy as np

from kerasseq import data, lite
from kerasseq.lite import tiling
from kerasseq.utils import atomic
from recipes.segment import heads as segment_heads
from recipes.shared import file_input, masks, web_page

# Tiles lie at multiples of it: a U-Net of depth 4 then pools the same pixels.
STRIDE = 16


class FileSegmenter:
    """Segments images with an exported file, without TensorFlow.

    Args:
        path: Folder with `model.tflite` and `labels.json`, or one of the `.tflite`
            files in it.
        overlap: Of neighboring tiles of a large image, a share of their sides.

    Raises:
        ValueError: if a file is missing or damaged, or the two do not belong together.
    """

    def __init__(self, path, overlap=0.5):
        path = pathlib.Path(path)
        path = path if path.suffix == ".tflite" else path / "model.tflite"
        self.runner = lite.Runner(path)
        self.class_names = file_input.read_labels(path.with_name("labels.json"))
        self.overlap = overlap
        serve = self.runner.signatures.get("serve", {"inputs": {}, "outputs": {}})
        shape, dtype = serve["inputs"].get("image", ((), None))
        maps = {name: shape for name, (shape, _) in serve["outputs"].items()}
        if dtype != "uint8" or any(x[:3] != shape[:3] for x in maps.values()):
            raise ValueError(
                f"{path} is no segmenter of this recipe. Received: "
                f"signatures={self.runner.signatures}"
            )
        classes = maps.get("probabilities", (len(self.class_names),))[-1]
        if classes != len(self.class_names):
            raise ValueError(
                f"{path} has {classes} classes and labels.json "
                f"{len(self.class_names)}: they are of different models. Export again."
            )
        self.input_shape = shape[1:]
        self._channels = {name: shape[-1] for name, shape in maps.items()}

    def __call__(self, image):
        """The outputs for one image.

        An image of another size than the file's is done in tiles of that size, at its
        own scale, and continued by reflection if it is smaller.

        Args:
            image: uint8 array `(height, width, channels)`.

        Returns:
            By head, class numbers `(height, width)` for `mask` and `edges`, and float32
            values `(height, width, channels)` for `reconstruction`, -1 to 1, and
            `target`.

        Raises:
            ValueError: for another size, if the file's is not square.
        """
        if image.shape == self.input_shape:
            joined = self._run(image[None])[0]
        else:
            joined = self._in_tiles(image)
        ends = np.cumsum([*self._channels.values()])[:-1]
        maps = np.split(joined, ends, axis=-1)
        return segment_heads.classes(dict(zip(self._channels, maps, strict=True)))

    def _run(self, images):
        """All outputs side by side."""
        outputs = self.runner.run("serve", image=images)
        return np.concatenate([outputs[name] for name in self._channels], axis=-1)

    def _in_tiles(self, image):
        tile, width, _ = self.input_shape
        if tile != width:
            raise ValueError(
                f"The file takes images of {tile}x{width}, and only square ones can be "
                f"tiles of others. Received: an image of shape {image.shape}"
            )
        stride = min(STRIDE, tile & -tile)
        overlap = min(round(self.overlap * tile / stride), tile // stride - 1) * stride
        return tiling.predict_tiled(
            self._run, image, tile, overlap, stride=stride, blend="smooth"
        )

    def read(self, path):
        """Reads an image file with the channels that the exported file takes."""
        return data.read_image(path, num_channels=self.input_shape[-1])


def outputs_of(path, images):
    """Runs an exported file on images of its size, one by one.

    Args:
        path: As of `FileSegmenter`.
        images: uint8 array `(num, height, width, channels)`.

    Returns:
        The outputs, `{head: array}`, and the milliseconds for an image.
    """
    segmenter = FileSegmenter(path)
    began = time.perf_counter()
    rows = [segmenter(image) for image in images]
    seconds = time.perf_counter() - began
    outputs = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return outputs, 1e3 * seconds / len(rows)


def use_file(flags):
    """Segments `--images` with an exported file, or with `--web` makes its page."""
    if flags.web:
        web_page.add_for_images(flags, "segment", FileSegmenter)
    else:
        segment_with_file(flags)


def segment_with_file(flags):
    """Segments an image or a folder of them, and writes masks and overlays.

    Args:
        flags: Flags `images`, `from`, `overlap` and `output_dir`.

    Raises:
        ValueError: if there are no images, or one cannot be read; then nothing is
            written.
    """
    source = flags["from"].value or flags.output_dir
    segmenter = FileSegmenter(source, flags.overlap)
    paths = file_input.image_files(flags.images)
    stems = [path.stem for path in paths]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise ValueError(
            "Results are named after the images, and some have the same name: "
            f"{', '.join(twice[:5])}. Rename them, or do one folder at a time."
        )
    output = file_input.output_folder(flags, source, "predictions")
    with atomic.staging(output) as folder:
        for path in paths:
            image = segmenter.read(path)
            outputs = segmenter(image)
            _write(folder, path.stem, image, outputs, segmenter.class_names)
            print(f"{path}\t{_summary(outputs, segmenter.class_names)}", flush=True)
        atomic.move_into(folder, output, sorted(x.name for x in folder.iterdir()))
    print(f"Written to {output}/")


def _write(folder, stem, image, outputs, class_names):
    from PIL import Image

    for head, output in outputs.items():
        if head in segment_heads.CLASS_HEADS:
            masks.save_mask(folder / f"{stem}_{head}.png", output)
        elif head == "reconstruction":
            picture = masks.rgb(127.5 * (output + 1))
            Image.fromarray(picture).save(folder / f"{stem}_{head}.png")
        else:
            np.save(folder / f"{stem}_{head}.npy", output)
    if "mask" in outputs:
        overlay = masks.mask_overlay(image, outputs["mask"], len(class_names))
        Image.fromarray(overlay).save(folder / f"{stem}_overlay.png")


def _summary(outputs, class_names):
    """The share of each class but the first."""
    if "mask" not in outputs:
        return ", ".join(outputs)
    shares = np.bincount(outputs["mask"].ravel(), minlength=len(class_names))
    shares = shares / outputs["mask"].size
    named = list(zip(class_names, shares, strict=True))[1:]
    return ", ".join(f"{name} {share:.1%}" for name, share in named if share)
