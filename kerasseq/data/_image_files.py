"""Image and mask files as arrays; how an image is read is the device's matter too."""

import numpy as np
from PIL import Image, ImageOps

from kerasseq.lite import image_files

SUFFIXES = image_files.SUFFIXES
image_paths = image_files.image_paths
image_shape = image_files.image_shape
read_image = image_files.read_image
fit_image = image_files.fit_image


def as_size(image_size):
    """`(height, width)` from a pair or from one integer for both; `None` stays.

    Raises:
        ValueError: if it is neither.
    """
    if image_size is None:
        return None
    sides = np.ravel(image_size)
    if sides.dtype.kind != "i" or len(sides) not in (1, 2) or sides.min() < 1:
        raise ValueError(
            "`image_size` must be (height, width) in pixels, or one number for both. "
            f"Received: image_size={image_size}"
        )
    return int(sides[0]), int(sides[-1])


def check_num_channels(num_channels):
    """Raises `ValueError` unless it is 1, 3 or `None`."""
    if num_channels not in (None, 1, 3):
        raise ValueError(
            "`num_channels` must be 1 (gray), 3 (RGB) or None (as the images are). "
            f"Received: num_channels={num_channels}"
        )


def read_mask(path, size=None):
    """Reads one mask file: the class number of every pixel.

    Palette files give their palette indices, 1-bit files 0 and 1, gray files of 8 or 16
    bit their values, color files whose channels are all equal that value.

    Args:
        path: path of the file.
        size: `(height, width)` to resize to (nearest), or `None`.

    Returns:
        int32 array `(height, width)`.

    Raises:
        ValueError: naming the file, where it cannot be read, where its colors are no
            class numbers, and for JPEG, which blurs them.

    Example:
        >>> np.unique(read_mask("mask.png"))
        array([0, 1, 255], dtype=int32)
    """
    with image_files.opened(path) as image:
        if image.format == "JPEG":
            raise image_files.RefusedError(
                "JPEG blurs the class numbers of a mask; make the masks anew as PNG"
            )
        image = ImageOps.exif_transpose(image)
        values = Image.fromarray(_class_numbers(image))
        if size is not None and values.size != tuple(size[::-1]):
            values = values.resize(tuple(size[::-1]), Image.Resampling.NEAREST)
        return np.array(values, "int32")


def _class_numbers(image):
    if image.mode in ("P", "1", "L", "F", *image_files.DEEP):
        return image_files.whole_numbers(image)
    colors = np.array(image.convert("RGBA")).astype("int32")
    values = colors[..., 0]
    equal = (colors[..., :3] == values[..., None]).all()
    if not equal or (colors[..., 3] != 255).any():
        raise image_files.RefusedError(
            "a mask holds one class number per pixel, as gray or palette values, and "
            f"not colors; convert it. Received: mode={image.mode!r}"
        )
    return values
