"""Large images in tiles of a fixed size, with NumPy alone.

A network with static shapes takes tiles, and images are larger. This module imports
neither TensorFlow nor Keras: `predict` may be a Keras model or a `lite.Runner`.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

_BLENDS = ("crop", "smooth")


def predict_tiled(
    predict: Callable[[np.ndarray], Any],
    image: np.ndarray,
    tile: int,
    overlap: int,
    *,
    stride: int = 1,
    blend: str = "crop",
    batch_size: int = 1,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Runs a network of a fixed input size over an image of any size.

    The image is cut into overlapping square tiles; the outermost lie flush with its
    border, so that what the network pads at a border is the same as for the whole
    image. At its lower and right end the image is continued by reflection to at least
    one tile and to a multiple of `stride`, and the result is cropped again.

    `"crop"` takes each pixel from the tile in which it lies furthest from an edge
    inside the image, at least `overlap / 2`. If that is the radius of what an output
    pixel sees (`unet_radius`) or more, the result is that of the whole image, up to
    rounding. Norms over the pixels of an image (`GroupNormalization`) see all of a
    tile; no overlap makes them alike. `"smooth"` is the mean of all tiles, with weights
    that fall linearly to their edges: it hides seams where `overlap` is too small for
    that, and equals the whole image nowhere but by chance.

    Memory is one batch of tiles, for `"smooth"` also a strip of the result as high as
    a tile, so image and `out` may be larger than it, e.g. `np.memmap`.

    Args:
        predict: Function from tiles `(batch_size, tile, tile, channels)` of the image's
            dtype to values `(batch_size, tile, tile, values)`.
        image: Array `(height, width, channels)`; only slices of it are read.
        tile: Side of a tile, in pixels.
        overlap: Pixels that neighboring tiles share, or more at the far ends.
        stride: Tiles lie at multiples of this; it divides `tile` and `overlap`. For a
            U-Net `2**depth`, or pixels are pooled in other groups than in the image.
        blend: `"crop"` or `"smooth"`, see above.
        batch_size: Tiles in a call; the last call is filled up.
        out: Optional array `(height, width, values)` to write to.

    Returns:
        `out`, or a new array of the dtype that `predict` gives.

    Raises:
        ValueError: If an argument is not usable, `predict` returns other shapes, or
            integers shall be smoothed.

    Example:

    ```python
    runner = lite.Runner("saved_models/segment/model.tflite")  # takes 256 x 256
    probabilities = tiling.predict_tiled(
        lambda tiles: runner.run(image=tiles)["probabilities"],
        np.memmap("slide.raw", "uint8", "r", shape=(40_000, 60_000, 3)),
        tile=256,
        overlap=112,
        stride=16,
        out=np.memmap("mask.raw", "float32", "w+", shape=(40_000, 60_000, 2)),
    )
    ```

    Reference:
        Ronneberger, Fischer and Brox (2015), U-Net: Convolutional Networks for
        Biomedical Image Segmentation, section 2, the overlap-tile strategy.
    """
    _check(image, tile, overlap, stride, blend, batch_size)
    height, width = image.shape[:2]
    rows = _offsets(height, tile, tile - overlap, stride)
    columns = _offsets(width, tile, tile - overlap, stride)
    predictions = _predictions(predict, image, rows, columns, tile, batch_size)
    first = next(predictions)
    shape = (height, width, first.shape[-1])
    if out is None:
        out = np.empty(shape, first.dtype)
    _check_out(out, shape, first.dtype, blend)
    write = _crop if blend == "crop" else _smooth
    write(itertools.chain([first], predictions), rows, columns, tile, out)
    return out


def unet_radius(
    depth: int,
    convolutions: int = 2,
    kernel: int = 3,
    upsampling: str = "transposed",
) -> int:
    """How far an output pixel of a U-Net sees, in pixels to each side.

    Let `s = 2**depth` and `r = kernel // 2`. A convolution at level `l` looks `r` of
    its pixels further, `r * 2**l` of the image's. There are `convolutions` in the
    encoder and as many in the decoder at the levels `0 .. depth - 1`, which makes
    `2 * convolutions * r * (s - 1)`, and once as many at the bottom, `convolutions * r
    * s`. Going down a level and up again, pooling and a 2 x 2 transposed convolution
    reach the rest of a cell of 2 x 2, at worst `2**l` further: `s - 1` in all.

    Bilinear upsampling also looks at the next cell, and one more convolution follows
    it: `(1 + r) * 2**l` further at each level, `(1 + r) * (s - 1)` in all.

    Args:
        depth: Number of halvings.
        convolutions: Convolutions of a stage.
        kernel: Side of their kernels, odd.
        upsampling: `"transposed"` or `"bilinear"`, as in `models.unet`.

    Returns:
        The radius; for `predict_tiled` an overlap of twice as much is enough.

    Raises:
        ValueError: If a number is not usable, or the upsampling unknown.

    Example:

    ```python
    tiling.unet_radius(depth=4)  # 107
    ```
    """
    if min(depth, convolutions, kernel) < 1 or kernel % 2 == 0:
        raise ValueError(
            "`depth` and `convolutions` must be positive, and `kernel` odd. Received: "
            f"depth={depth}, convolutions={convolutions}, kernel={kernel}"
        )
    if upsampling not in ("transposed", "bilinear"):
        raise ValueError(
            "`upsampling` must be 'transposed' or 'bilinear'. "
            f"Received: upsampling={upsampling!r}"
        )
    stride, reach = 2**depth, kernel // 2
    radius = convolutions * reach * (3 * stride - 2) + stride - 1
    return radius + (1 + reach) * (stride - 1) * (upsampling == "bilinear")


def _offsets(size, tile, step, stride):
    """Where tiles begin along an axis; the last ends where the padded image does."""
    last = max(tile, -(-size // stride) * stride) - tile
    return [*range(0, last, step), last]


def _predictions(predict, image, rows, columns, tile, batch_size):
    """Yields what `predict` gives for each tile, row by row."""
    corners = itertools.product(rows, columns)
    while batch := list(itertools.islice(corners, batch_size)):
        tiles = [_read(image, row, column, tile) for row, column in batch]
        tiles += tiles[-1:] * (batch_size - len(tiles))
        values = np.asarray(predict(np.stack(tiles)))
        if values.ndim != 4 or values.shape[:3] != (batch_size, tile, tile):
            raise ValueError(
                "`predict` must return an array (batch_size, tile, tile, values), of a "
                "dict of outputs one. Received: an array of shape "
                f"{values.shape} for batch_size={batch_size}, tile={tile}"
            )
        yield from values[: len(batch)]


def _read(image, row, column, tile):
    part = np.asarray(image[row : row + tile, column : column + tile])
    missing = [(0, tile - side) for side in part.shape[:2]]
    return np.pad(part, [*missing, (0, 0)], mode="reflect")


def _crop(predictions, rows, columns, tile, out):
    row_cuts, column_cuts = (
        [0, *((a + b + tile) // 2 for a, b in itertools.pairwise(offsets)), size]
        for offsets, size in zip((rows, columns), out.shape[:2], strict=True)
    )
    for row, top, bottom in zip(rows, row_cuts[:-1], row_cuts[1:], strict=True):
        spans = zip(columns, column_cuts[:-1], column_cuts[1:], strict=True)
        for column, left, right in spans:
            part = next(predictions)[top - row : bottom - row]
            out[top:bottom, left:right] = part[:, left - column : right - column]


def _smooth(predictions, rows, columns, tile, out):
    """Adds up tiles in a strip, of which rows are written when no tile is to come."""
    height, width, num_values = out.shape
    strip = np.zeros((tile, columns[-1] + tile, num_values), "float32")
    row_weights, column_weights = _weights(rows, tile), _weights(columns, tile)
    ends = [*rows[1:], height]
    for row, end, by_row in zip(rows, ends, row_weights, strict=True):
        for column, by_column in zip(columns, column_weights, strict=True):
            weights = by_row[:, None, None] * by_column[:, None]
            strip[:, column : column + tile] += weights * next(predictions)
        done = end - row
        out[row:end] = strip[:done, :width]
        strip[: tile - done] = strip[done:]
        strip[tile - done :] = 0


def _weights(offsets, tile):
    """The weights of each tile along an axis; at every pixel they add up to 1."""
    falling = np.minimum(np.arange(tile) + 1, np.arange(tile, 0, -1))
    total = np.zeros(offsets[-1] + tile)
    for offset in offsets:
        total[offset : offset + tile] += falling
    fractions = [falling / total[offset : offset + tile] for offset in offsets]
    return [fraction.astype("float32") for fraction in fractions]


def _check(image, tile, overlap, stride, blend, batch_size):
    if np.ndim(image) != 3 or 0 in np.shape(image):
        raise ValueError(
            "`image` must be an array (height, width, channels); give a gray image a "
            "last axis, `image[..., None]`. "
            f"Received: an array of shape {np.shape(image)}"
        )
    if min(tile, stride, batch_size) < 1 or not 0 <= overlap < tile:
        raise ValueError(
            "`tile`, `stride` and `batch_size` must be positive, and `overlap` from 0 "
            f"to less than `tile`. Received: tile={tile}, overlap={overlap}, "
            f"stride={stride}, batch_size={batch_size}"
        )
    if tile % stride or overlap % stride:
        raise ValueError(
            "`stride` must divide `tile` and `overlap`, so that tiles lie at its "
            f"multiples. Received: tile={tile}, overlap={overlap}, stride={stride}"
        )
    if blend not in _BLENDS:
        raise ValueError(f"`blend` must be one of {_BLENDS}. Received: blend={blend!r}")


def _check_out(out, shape, dtype, blend):
    if out.shape != shape or not np.can_cast(dtype, out.dtype, "same_kind"):
        raise ValueError(
            f"`out` must have the shape {shape} and a dtype that holds {dtype}. "
            f"Received: out of shape {out.shape} and dtype {out.dtype}"
        )
    if blend == "smooth" and dtype.kind in "biu":
        raise ValueError(
            "Class numbers have no mean: smooth probabilities and take the argmax "
            f"afterwards, or use blend='crop'. Received: predictions of dtype {dtype}"
        )
