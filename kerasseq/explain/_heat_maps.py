"""What Grad-CAM and attention rollout have in common: batches in, heat maps out."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops

BATCH_SIZE = 32


def check(images: Any) -> tuple[int, int]:
    """Checks the shape of images and returns their `(height, width)`."""
    shape = tuple(np.shape(images))
    if len(shape) != 4 or not shape[0]:
        raise ValueError(
            "Images must be an array of shape (num, height, width, channels) with at "
            "least one image; make a batch of a single one with `image[None]`. "
            f"Received: images.shape={shape}"
        )
    return shape[1:3]


def batches(images: Any) -> Iterator[tuple[slice, Any]]:
    """Pairs of a slice and the images in it, small enough for the memory."""
    for start in range(0, len(images), BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        yield part, images[part]


def heat_maps(maps: Any, size: tuple[int, int]) -> np.ndarray:
    """Resizes maps and scales each one so that its highest value is 1.

    Args:
        maps: Array `(num, rows, columns)` of values that are at least 0.
        size: `(height, width)` of the images.

    Returns:
        float32 array `(num, height, width)`, 0 to 1. A map of zeros stays as it is.
    """
    maps = np.asarray(maps, "float32")[..., None]
    peaks = maps.max(axis=(1, 2), keepdims=True)  # first, lest small values vanish
    maps = np.divide(maps, peaks, out=np.zeros_like(maps), where=peaks > 0)
    maps = ops.image.resize(maps, size, "bilinear", data_format="channels_last")
    maps = ops.convert_to_numpy(maps)[..., 0]
    peaks = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, peaks, out=np.zeros_like(maps), where=peaks > 0)
