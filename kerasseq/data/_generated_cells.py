"""Generated fluorescence microscopy images of cells, with their masks."""

import math

import numpy as np

from kerasseq.utils import optional

ndimage = optional.import_module("scipy.ndimage")

MIN_SIZE = 32
# Smaller fragments, cut off by a neighbor or by the image border, are removed.
MIN_AREA = 12
# In the most crowded images there is about one cell per square of this side length.
CELL_PITCH = 15
NEIGHBORS = np.ones((3, 3), bool)


def generated_cells(num, size=64, seed=0):
    """Generates images of stained cells, with semantic and instance masks.

    The images show deformed ellipses, single and in clusters that touch at thin dark
    borders; bright and faint cells, texture, uneven illumination, haze and blur, photon
    and camera noise, and bright specks of debris. Thresholding is not enough: Otsu's
    threshold, computed per image, reaches an IoU of 0.77, a small U-Net 0.94.

    Borders between cells are background, one to two pixels wide, so that the cells are
    the connected components of their mask (see `kerasseq.data.instances_from_masks`).
    The size of cells in pixels is fixed; larger images show more cells. Image `i`
    depends on `(seed, i, size)` alone.

    Args:
        num: Integer. Number of images.
        size: Integer, at least 32. Height and width in pixels.
        seed: Integer, at least 0.

    Returns:
        `(images, masks, instances)`: uint8 of shape `(num, size, size, 1)`, 0 to 255;
        int32 of shape `(num, size, size)`, 0 for background and 1 for cells; int32 of
        shape `(num, size, size)`, 0 for background and 1, 2, ... for the cells of an
        image.

    Raises:
        ValueError: If `num`, `size` or `seed` is too small.

    Example:
        >>> images, masks, instances = generated_cells(4, size=64)
        >>> images.shape, images.dtype, masks.max()
        ((4, 64, 64, 1), dtype('uint8'), np.int32(1))
    """
    if num < 1 or size < MIN_SIZE or seed < 0:
        raise ValueError(
            f"`num` must be at least 1, `size` at least {MIN_SIZE} pixels and `seed` "
            f"at least 0. Received: num={num}, size={size}, seed={seed}"
        )
    images = np.empty((num, size, size, 1), "uint8")
    instances = np.empty((num, size, size), "int32")
    for i in range(num):
        rng = np.random.default_rng((seed, i))
        instances[i], depth = _shapes(rng, size)
        images[i, ..., 0] = _photograph(rng, _stain(rng, instances[i], depth))
    return images, (instances > 0).astype("int32"), instances


def _shapes(rng, size):
    """The cells of one image, and the depth of each pixel in its cell, 0 to 1."""
    most = (size / CELL_PITCH) ** 2
    cells = _places(rng, size, max(1, round(most * rng.uniform(0.25, 1.0))))
    owner = np.zeros((size, size), "int32")
    distance = np.ones((size, size))  # from the center; a cell ends at 1
    for number, cell in enumerate(cells, 1):
        window, to_center = _one_shape(rng, size, *cell)
        nearer = to_center < distance[window]
        owner[window][nearer] = number
        distance[window][nearer] = to_center[nearer]
    # The border between two cells is taken from the one with the lower number.
    owner[ndimage.maximum_filter(owner, size=3) > owner] = 0
    labels, _ = ndimage.label(owner > 0, NEIGHBORS)
    large = np.bincount(labels.ravel()) >= MIN_AREA
    large[0] = False
    numbers = np.cumsum(large) * large
    return numbers[labels], np.sqrt(1 - distance)


def _places(rng, size, count):
    """`(row, column, radius)` of each cell; half of them touch another cell."""
    cells = []
    mean_radius = rng.uniform(5.5, 7.5)
    for _ in range(20 * count):
        radius = mean_radius * rng.uniform(0.75, 1.25)
        row, column = rng.uniform(-2, size + 2, 2)
        if cells and rng.random() < 0.5:
            beside = cells[rng.integers(len(cells))]
            angle = rng.uniform(0, 2 * math.pi)
            gap = 0.9 * (radius + beside[2])
            row = beside[0] + gap * math.sin(angle)
            column = beside[1] + gap * math.cos(angle)
        inside = -2 <= min(row, column) and max(row, column) <= size + 2
        clear = (
            math.hypot(row - r, column - c) > 0.85 * (radius + other)
            for r, c, other in cells
        )
        if inside and all(clear):
            cells.append((row, column, radius))
        if len(cells) == count:
            break
    return cells


def _one_shape(rng, size, row, column, radius):
    """A window around one cell, and in it the distance from its center, 1 at its rim.

    The shape is an ellipse of about this radius with a slightly wavy rim.
    """
    reach = math.ceil(1.8 * radius)
    bounds = [(max(0, int(x) - reach), int(x) + reach + 1) for x in (row, column)]
    window = tuple(slice(low, min(high, size)) for low, high in bounds)
    y, x = np.ogrid[window]
    tilt = rng.uniform(0, 2 * math.pi)
    along = (x - column) * math.cos(tilt) + (y - row) * math.sin(tilt)
    across = (y - row) * math.cos(tilt) - (x - column) * math.sin(tilt)
    stretch = rng.uniform(1.0, 1.3)
    along, across = along / stretch, across * stretch
    angle = np.arctan2(across, along)
    rim = 1 + sum(
        rng.normal(0, 0.16 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * math.pi))
        for wave in (2, 3, 4, 5)
    )
    return window, np.hypot(along, across) / (radius * rim)


def _stain(rng, instances, depth):
    """The light emitted per pixel: cells of different brightness, with texture."""
    brightness = rng.lognormal(0, 0.3, instances.max() + 1).clip(0.5, 2.0)
    brightness[0] = 0
    grain = _clouds(rng, instances.shape, 1.0) + _clouds(rng, instances.shape, 2.5)
    light = brightness[instances] * (0.55 + 0.45 * depth) * (1 + 0.12 * grain)
    return np.maximum(light, 0)


def _clouds(rng, shape, scale):
    """A random field, smooth over `scale` pixels, with mean 0 and deviation 1."""
    field = ndimage.gaussian_filter(rng.normal(size=shape), scale, mode="wrap")
    return (field - field.mean()) / field.std()


def _photograph(rng, light):
    """The camera's uint8 image of the light."""
    size = len(light)
    haze = 0.35 * ndimage.gaussian_filter(light, 6) + rng.uniform(0.1, 0.25)
    seen = ndimage.gaussian_filter(light + _debris(rng, size), rng.uniform(0.7, 1.1))
    seen = (seen + haze) * _lamp(rng, size)
    photons = rng.uniform(40, 120)
    counts = rng.poisson(seen * photons) / photons + rng.normal(0, 0.04, seen.shape)
    gain = rng.uniform(90, 150)
    return np.rint(counts * gain + 8).clip(0, 255).astype("uint8")


def _debris(rng, size):
    """Bright specks, smaller than any cell."""
    specks = np.zeros((size, size))
    for _ in range(rng.poisson(5 * (size / 64) ** 2)):
        row, column = rng.integers(size, size=2)
        length = rng.integers(1, 4, 2)
        specks[row : row + length[0], column : column + length[1]] += rng.uniform(1, 4)
    return specks


def _lamp(rng, size):
    """Uneven illumination: bright around one spot, darker away from it."""
    y, x = np.ogrid[0 : 1 : size * 1j, 0 : 1 : size * 1j]
    row, column = rng.uniform(0, 1, 2)
    width = rng.uniform(0.5, 1.2)
    spot = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
    return 0.4 + 0.6 * spot
