"""Masks as files and as colors over their image."""

import colorsys

import numpy as np

from kerasseq.utils import atomic

# Okabe and Ito (2008), told apart by the color-blind, after black for class 0.
_COLORS = "000000 e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7"
VOID = (200, 200, 200)


def palette(num_classes):
    """Colors of classes, the same for a class whatever their number.

    Args:
        num_classes: Number of classes, 1 to 256.

    Returns:
        uint8 array `(num_classes, 3)`, RGB. Class 0 is black, 1 to 7 are the colors
        of Okabe and Ito, and further ones go around the color circle.
    """
    colors = [tuple(bytes.fromhex(text)) for text in _COLORS.split()]
    for number in range(num_classes - len(colors)):
        hue = 0.618034 * number % 1
        levels = [(0.55, 0.95), (0.9, 0.6), (0.35, 0.75)][number % 3]
        rgb = colorsys.hsv_to_rgb(hue, *levels)
        colors.append(tuple(round(255 * level) for level in rgb))
    return np.array(colors[:num_classes], "uint8")


def colors_of(mask, num_classes):
    """A mask as a picture: uint8 `(..., 3)`; numbers that are no class are gray."""
    mask = np.asarray(mask)
    table = np.vstack([palette(num_classes), np.array([VOID], "uint8")])
    return table[np.where((mask >= 0) & (mask < num_classes), mask, num_classes)]


def mask_overlay(image, mask, num_classes, *, opacity=0.5, background=0):
    """Lays the colors of a mask over its image.

    Args:
        image: Array `(height, width)`, `(height, width, 1)` or `(height, width, 3)`,
            0 to 255.
        mask: Integer array `(height, width)` of class numbers; a number that is no
            class (255 for void) is gray.
        num_classes: Number of classes.
        opacity: Weight of the mask's color, 0 to 1.
        background: The class that leaves the image as it is, or `None`.

    Returns:
        uint8 array `(height, width, 3)`.

    Raises:
        ValueError: If image and mask differ in size.
    """
    image, mask = rgb(image), np.asarray(mask)
    if image.shape[:2] != mask.shape:
        raise ValueError(
            "Image and mask must have the same height and width. "
            f"Received: image of shape {image.shape}, mask of shape {mask.shape}"
        )
    mixed = (1 - opacity) * image + opacity * colors_of(mask, num_classes)
    painted = np.ones(mask.shape, bool) if background is None else mask != background
    return np.where(painted[..., None], np.rint(mixed), image).astype("uint8")


def save_mask(path, mask):
    """Writes a mask as a PNG with a palette, whole or not at all.

    Viewers show colors; read back as an array, the pixels are the class numbers.

    Args:
        path: Path of the file, which must end in `.png`.
        mask: Integer array `(height, width)`, 0 to 255.

    Raises:
        ValueError: If the mask has another shape, type or values, or for another
            suffix: other formats do not keep class numbers.

    Example:

    ```python
    save_mask("mask.png", mask)
    assert (np.array(PIL.Image.open("mask.png")) == mask).all()
    ```
    """
    from PIL import Image

    mask = np.asarray(mask)
    whole = mask.dtype == bool or np.issubdtype(mask.dtype, np.integer)
    if mask.ndim != 2 or not mask.size or not whole:
        raise ValueError(
            "A mask must be an array of integers of shape (height, width). Received: "
            f"mask of shape {mask.shape} and type {mask.dtype}"
        )
    if mask.min() < 0 or mask.max() > 255:
        raise ValueError(
            "A mask file holds class numbers from 0 to 255. "
            f"Received: numbers from {mask.min()} to {mask.max()}"
        )
    if not str(path).lower().endswith(".png"):
        raise ValueError(f"Masks are written as '.png'. Received: path='{path}'")
    image = Image.fromarray(mask.astype("uint8"), "L")
    image.putpalette(colors_of(np.arange(256), 255).tobytes())  # 255 is void: gray
    with atomic.replace_file(path, "wb") as file:
        image.save(file, "PNG", optimize=True)


def rgb(image):
    """An image of one or three channels, 0 to 255, as uint8 `(height, width, 3)`."""
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[-1] not in (1, 3):
        raise ValueError(
            "An image must have shape (height, width), (height, width, 1) or "
            f"(height, width, 3). Received: image of shape {image.shape}"
        )
    if image.dtype != np.uint8:
        image = np.rint(np.nan_to_num(image.astype("float32"))).clip(0, 255)
    shape = (*image.shape[:2], 3)
    return np.broadcast_to(image.astype("uint8"), shape)
