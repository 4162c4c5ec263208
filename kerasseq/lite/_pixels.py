"""Images as callers have them, as uint8 pixels that a file takes."""

import os
from typing import Any

import numpy as np

_LUMA = np.array([19595, 38470, 7471])  # in 65536ths, as Pillow counts gray


def read(path: str | os.PathLike[str], shape: tuple[int, int, int]) -> np.ndarray:
    """Reads an image file as uint8 pixels of a shape; it needs Pillow.

    Args:
        path: Path of the image.
        shape: `(height, width, channels)`.

    Raises:
        ValueError: If the image cannot be read.
    """
    from kerasseq.lite import image_files

    *size, num_channels = shape
    return image_files.read_image(path, size=size, num_channels=num_channels)


def fit(image: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Makes an image of any size uint8 pixels of a shape.

    Args:
        image: Path of an image file, or an image as of `from_image`.
        shape: `(height, width, channels)`.

    Raises:
        ValueError: If the image cannot be read, or is of another kind.
    """
    if isinstance(image, (str, os.PathLike)):
        return read(image, shape)
    pixels = from_image(image, shape[-1])
    if pixels.shape == shape:
        return pixels
    from kerasseq.lite import image_files  # needs Pillow

    return image_files.fit_image(pixels, size=shape[:2])


def from_image(image: Any, num_channels: int) -> np.ndarray:
    """Makes uint8 pixels of an image.

    Args:
        image: Array of integers from 0 to 255, `(height, width)` or `(height, width,
            channels)`, or a Pillow image.
        num_channels: Of the result; gray becomes RGB and RGB gray.

    Returns:
        uint8 array `(height, width, num_channels)`.

    Raises:
        ValueError: If the image is of another kind.
    """
    if hasattr(image, "convert") and hasattr(image, "getexif"):
        from kerasseq.lite import image_files  # needs Pillow, which is there then

        if num_channels in (1, 3):
            return image_files.from_pillow(image, num_channels=num_channels)
    pixels = _as_uint8(np.asarray(image))
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.ndim != 3 or 0 in pixels.shape:
        raise ValueError(
            "An image is an array (height, width, channels), one at a time. Received: "
            f"an array of shape {pixels.shape}"
        )
    return _with_channels(pixels, num_channels)


def _as_uint8(pixels):
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind not in "iu":
        raise ValueError(
            "Pixels are integers from 0 to 255. Of floats from 0 to 255 make them with "
            "`np.rint(x).astype('uint8')`, from 0 to 1 with `np.rint(255 * x)`. "
            f"Received: an array of {pixels.dtype}"
        )
    if pixels.size and not 0 <= pixels.min() <= pixels.max() <= 255:
        raise ValueError(
            "Pixels are integers from 0 to 255. Received: values from "
            f"{pixels.min()} to {pixels.max()}"
        )
    return pixels.astype("uint8")


def _with_channels(pixels, num_channels):
    channels = pixels.shape[-1]
    if channels == num_channels:
        return pixels
    if (channels, num_channels) == (1, 3):
        return np.repeat(pixels, 3, axis=-1)
    if (channels, num_channels) == (3, 1):
        gray = (pixels.astype("int64") @ _LUMA + 0x8000) >> 16
        return gray[..., None].astype("uint8")
    raise ValueError(
        f"The file takes images with {num_channels} channels. Received: an image of "
        f"shape {pixels.shape}"
    )
