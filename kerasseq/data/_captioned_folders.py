"""Reads images with captions from a folder, or from one folder per split."""

import math
import os
import pathlib

import numpy as np

from kerasseq.data import _caption_files, _class_folders, _image_files

_SPLITS = {"train": "train", "validation": "validation", "val": "validation"}
_SPLITS |= {"valid": "validation", "test": "test"}


def read_captioned_folders(data, captions, image_size, num_channels):
    """Reads images and captions below a folder.

    Returns:
        A dict from split to `(images, captions)`, all images of one form. Without a
        folder `train` there is only the split `"train"`.
    """
    found = _find_images(_existing(data), captions)
    form = _common_form(found, image_size, num_channels)
    return {
        split: (_read_all(images, *form), [texts for _, texts, _ in images])
        for split, images in found.items()
    }


def image_shapes(data, captions=None):
    """The shapes of all images of a folder with captions, from their headers.

    Args:
        data: Path of the folder.
        captions: Path of the captions file, if it is not there.

    Returns:
        A list of `(height, width, channels)`.

    Raises:
        ValueError: Naming file and line.
    """
    found = _find_images(_existing(data), captions)
    return _shapes([image for split in found.values() for image in split])


def _existing(data):
    folder = pathlib.Path(data)
    if not folder.is_dir():
        raise ValueError(
            "`data` must be 'synthetic' or a folder of images with a captions file. "
            f"Received: {str(data)!r}, which is no folder"
        )
    return folder


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
        place = _image_path(folder, image, where)
        found.setdefault(place, ([], where))[0].append(text)
    return [(place, tuple(texts), where) for place, (texts, where) in found.items()]


def _image_path(folder, image, where):
    for place in (folder, folder / "images"):
        path = os.path.normpath(place / image)  # one name for one file
        if os.path.isfile(path):
            return pathlib.Path(path)
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
