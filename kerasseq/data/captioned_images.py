"""Images with captions, from a folder with a captions file or generated."""

import math
import os
import pathlib
import typing

import numpy as np

from kerasseq.data import (
    _caption_files,
    _class_folders,
    _generated_scenes,
    _image_files,
    labeled_images,
)

_SPLITS = {"train": "train", "validation": "validation", "val": "validation"}
_SPLITS |= {"valid": "validation", "test": "test"}


class CaptionedImages(typing.NamedTuple):
    """Images with one or more captions each, in three splits.

    Args:
        name: String. Name of the data, for the report.
        train: Pair `(images, captions)`: uint8 of shape `(num_images, height, width,
            channels)`, 0 to 255, and a list of tuples of strings, one tuple per image.
        validation: Such a pair, with images of the same size.
        test: Such a pair, with images of the same size.
    """

    name: str
    train: tuple
    validation: tuple
    test: tuple


def load_captioned_images(
    data,
    *,
    captions=None,
    num_examples=6000,
    image_size=None,
    num_channels=None,
    validation_fraction=0.1,
    test_fraction=0.1,
    limit=None,
    seed=0,
):
    """Loads images with captions, to train a captioning model.

    All captions of an image are in the same split. Splits that the data do not have
    are taken from the training images at random. All images are kept in memory.

    Args:
        data: One of
            - `"synthetic"`: generated scenes of shapes; no combination of things and
              relation is in two splits;
            - a folder of images with a captions file: `captions.tsv` with
              `image<TAB>caption` on each line (as Flickr8k's `image.jpg#0<TAB>...`),
              `captions.csv` or `captions.txt` with the columns `image` and `caption`,
              or `captions.json` as COCO has it. Several lines for an image are several
              captions. The images lie beside it or in a folder `images` there;
            - a folder of such folders `train/`, `validation/` (or `val/`, `valid/`)
              and `test/`, those that exist.
        captions: Path of the captions file, if it is not in the folder.
        num_examples: Integer. Number of synthetic scenes.
        image_size: `(height, width)` to which all images are resized (bilinear with
            antialiasing; the aspect ratio is not preserved). May be omitted if all
            images have the same size. Synthetic scenes have 32 pixels a side.
        num_channels: 1 (gray) or 3 (RGB). Defaults to 3 if any image file has colors.
        validation_fraction: Float between 0 and 1. Fraction of the training images to
            use for validation if there is no such split.
        test_fraction: Float between 0 and 1. The same for testing.
        limit: Integer or float. Number or fraction of the training images to use.
        seed: Integer. Seed of the splits, of `limit`, and of synthetic scenes.

    Returns:
        A `CaptionedImages`.

    Raises:
        ValueError: Naming file and line, for a line with other columns, an empty
            caption, an image that is missing or cannot be read; for images of several
            sizes without `image_size`, or too few images to split.

    Example:
        >>> scenes = load_captioned_images("synthetic", num_examples=200)
        >>> scenes.train[1][0]
        ('a large yellow cross above a large green triangle', ...)
    """
    image_size = _image_files.as_size(image_size)
    _image_files.check_num_channels(num_channels)
    labeled_images.check_fractions(validation_fraction, test_fraction)
    if data == "synthetic":
        splits, groups = _synthetic(num_examples, image_size, num_channels, seed)
    else:
        splits = _read_folders(_existing(data), captions, image_size, num_channels)
        groups = range(len(splits["train"][1]))
    fractions = {"test": test_fraction, "validation": validation_fraction}
    _cut_off(splits, fractions, groups, seed)
    if limit is not None:
        splits["train"] = _limited(*splits["train"], limit, seed)
    return CaptionedImages(str(data), **splits)


def image_shapes(data, captions=None):
    """The shapes of all images of a folder with captions, from their headers.

    Args:
        data, captions: See `load_captioned_images`; `data` is a folder.

    Returns:
        A list of `(height, width, channels)`.

    Raises:
        ValueError: Naming file and line, as `load_captioned_images`.
    """
    found = _find_images(_existing(data), captions)
    return _shapes([image for split in found.values() for image in split])


def _synthetic(num_examples, image_size, num_channels, seed):
    """Scenes, and the combination that each shows."""
    images, captions = _generated_scenes.generated_scenes(num_examples, seed=seed)
    fit = _image_files.fit_image
    images = np.stack([fit(image, image_size, num_channels) for image in images])
    return {"train": (images, captions)}, [texts[0] for texts in captions]


def _existing(data):
    folder = pathlib.Path(data)
    if not folder.is_dir():
        raise ValueError(
            "`data` must be 'synthetic' or a folder of images with a captions file. "
            f"Received: {str(data)!r}, which is no folder"
        )
    return folder


def _read_folders(root, captions, image_size, num_channels):
    """`{split: (images, captions)}`, all images of one form."""
    found = _find_images(root, captions)
    form = _common_form(found, image_size, num_channels)
    return {
        split: (_read_all(images, *form), [texts for _, texts, _ in images])
        for split, images in found.items()
    }


def _find_images(root, captions):
    """`{split: list of (path of the image, captions, where the first one stands)}`."""
    if captions is not None or not (root / "train").is_dir():
        path = captions or _caption_files.find(root)
        return {"train": _by_image(root, path)}
    return {
        split: _by_image(folder, _caption_files.find(folder))
        for split, folder in _split_folders(root).items()
    }


def _split_folders(root):
    folders = {}
    for name, split in _SPLITS.items():
        if (root / name).is_dir():
            if split in folders:
                raise ValueError(
                    f"{str(root)!r} has several folders for {split}; keep one of them. "
                    f"Received: {folders[split].name!r} and {name!r}"
                )
            folders[split] = root / name
    return folders


def _by_image(folder, path):
    found = {}
    for image, text, where in _caption_files.read(path):
        found.setdefault(image, ([], where))[0].append(text)
    return [
        (_image_path(folder, image, where), tuple(texts), where)
        for image, (texts, where) in found.items()
    ]


def _image_path(folder, image, where):
    for place in (folder, folder / "images"):
        if os.path.isfile(place / image):  # of any name whatever
            return place / image
    raise ValueError(
        f"{where}: there is no image {image!r} in {str(folder)!r}, nor in a folder "
        "`images` there; add it, or remove its lines"
    )


def _common_form(found, image_size, num_channels):
    """The `(height, width)` and number of channels in which to read all images."""
    images = [image for split in found.values() for image in split]
    if not (image_size and num_channels):
        _shapes(images)  # an image that is none is named with its line
    paths = [path for path, _, _ in images]
    return _class_folders.common_form(paths, image_size, num_channels)


def _shapes(images):
    def read(image):
        return _located(image, _image_files.image_shape)

    return [*_class_folders.in_threads(read, images)]


def _read_all(images, size, num_channels):
    """One uint8 array of all images."""
    shape = (len(images), *size, num_channels)
    _class_folders.check_memory(math.prod(shape))
    pixels = np.empty(shape, "uint8")

    def read(image):
        return _located(image, _image_files.read_image, size, num_channels)

    for row, found in enumerate(_class_folders.in_threads(read, images)):
        pixels[row] = found
    return pixels


def _located(image, function, *arguments):
    """What a function of an image file returns; its error names the line too."""
    path, _, where = image
    try:
        return function(path, *arguments)
    except ValueError as error:
        raise ValueError(f"{where}: {error}, or remove its lines") from error


def _cut_off(splits, fractions, groups, seed):
    """Adds the missing splits, taken from train; a group stays together."""
    missing = [split for split in fractions if split not in splits]
    numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    if len(numbers) <= len(missing):
        raise ValueError(
            f"There must be more than {len(missing)} images, one for each missing "
            f"split and one to train on; add images. Received: {len(numbers)}"
        )
    images, captions = splits["train"]
    of_rows = np.array([numbers[group] for group in groups])
    order = np.random.default_rng(seed).permutation(len(numbers))
    parts, begun = {}, 0
    for split in missing:
        count = max(1, round(fractions[split] * len(numbers)))
        parts[split], begun = order[begun : begun + count], begun + count
    parts["train"] = order[begun:]
    for split, part in parts.items():
        rows = np.flatnonzero(np.isin(of_rows, part))
        splits[split] = images[rows], [captions[row] for row in rows]
    if not len(parts["train"]):
        raise ValueError(
            "No image is left to train on; add images, or lower `test_fraction` and "
            f"`validation_fraction`. Received: {len(numbers)} images"
        )


def _limited(images, captions, limit, seed):
    size = round(limit * len(images)) if isinstance(limit, float) else limit
    if not 1 <= size <= len(images):
        raise ValueError(
            f"`limit` must leave between 1 and all {len(images)} training images: a "
            f"number, or a fraction up to 1.0. Received: limit={limit}, {size} images"
        )
    rows = np.sort(np.random.default_rng(seed).permutation(len(images))[:size])
    return images[rows], [captions[row] for row in rows]
