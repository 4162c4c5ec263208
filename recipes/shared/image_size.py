"""The size of the images, chosen from the data where `--image_size` leaves it open."""

import os
import pathlib

import numpy as np

from kerasseq.lite import image_files
from recipes.shared import file_input

LARGEST = 1024  # the longer side of images that all have one size
_NOT_IMAGES = ("masks", "targets")


def choose(flags, multiple, side, read_shapes=None):
    """A size for images from folders, where theirs will not do; says so.

    It is the median height and width, within `side` unless all images have one size
    already, and the sides are multiples of what the model needs.

    Args:
        flags: Flags `data`, `image_size`, `test_data` if there is one.
        multiple: What the sides must be multiples of, a function of the longer side.
        side: Pixels of the longer side at most, where the images differ.
        read_shapes: Function that returns the shapes of the images. By default those
            of all images below the folder are read.

    Returns:
        `(height, width)`, or `None` where it was given, or the images' own will do.

    Raises:
        ValueError: naming a file that is no image.
    """
    if flags.image_size is not None or not os.path.isdir(flags.data):
        return None
    shapes = (
        read_shapes() if read_shapes else map(image_files.image_shape, _paths(flags))
    )
    sizes = np.array([shape[:2] for shape in shapes])
    if not len(sizes):
        return None  # the reader says what is missing
    size = _fitting(sizes, multiple, side)
    if (sizes == size).all():
        return None
    shown = " to ".join("x".join(map(str, x)) for x in (sizes.min(0), sizes.max(0)))
    print(
        f"image size: {size[0]}x{size[1]}, chosen for images of {shown}; "
        "--image_size sets another"
    )
    return size


def _fitting(sizes, multiple, side):
    size = np.median(sizes, axis=0)
    most = LARGEST if (sizes == sizes[0]).all() else side
    size = size * min(1, most / size.max())
    step = multiple(round(size.max()))
    return tuple(max(step, step * round(x / step)) for x in size.tolist())


def _paths(flags):
    """All images below the folders of the data, but no masks or targets."""
    folders = [flags.data]
    if "test_data" in flags and flags.test_data:
        folders.append(flags.test_data)
    return [
        path
        for folder in folders
        if os.path.isdir(folder)
        for path in file_input.images_below(pathlib.Path(folder))
        if not _is_other(path.relative_to(folder))
    ]


def _is_other(path):
    folders = path.parts[:-1]
    return path.parent.name in _NOT_IMAGES or any(x.startswith(".") for x in folders)
