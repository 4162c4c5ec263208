"""Generated scenes of two shapes, each with two descriptions."""

import itertools

import numpy as np
from PIL import Image, ImageDraw

MIN_SIZE = 24
SHAPES = ("circle", "square", "triangle", "cross")
COLORS = {
    "red": (214, 39, 40),
    "green": (44, 160, 44),
    "blue": (31, 90, 220),
    "yellow": (240, 220, 40),
    "purple": (140, 60, 190),
    "white": (245, 245, 245),
}
RADII = {"small": 0.1, "large": 0.19}  # of the side of the image
RELATIONS = ("above", "left of")
OPPOSITE = {"above": "below", "left of": "right of"}
THINGS = [*itertools.product(RADII, COLORS, SHAPES)]  # (size, color, shape)
ZOOM = 4  # drawn so much larger, then reduced: smooth edges


def generated_scenes(num, size=32, seed=0):
    """Generates images of two shapes, with descriptions.

    A scene shows two different things out of 48 (four shapes, six colors, two sizes),
    one above or left of the other, somewhere on a dark, noisy ground. It has two
    descriptions, one from each side, as "a large red circle above a small blue square"
    and "a small blue square below a large red circle". There are 4,512 combinations.
    Image `i` depends on `(seed, i, size)` alone.

    Args:
        num: Integer. Number of scenes.
        size: Integer, at least 24. Height and width in pixels.
        seed: Integer, at least 0.

    Returns:
        `(images, captions)`: uint8 of shape `(num, size, size, 3)`, 0 to 255, and a
        list of pairs of strings. Scenes with equal captions show the same combination.

    Raises:
        ValueError: If `num`, `size` or `seed` is too small.

    Example:
        >>> images, captions = generated_scenes(2)
        >>> images.shape, len(captions[0])
        ((2, 32, 32, 3), 2)
    """
    if num < 1 or size < MIN_SIZE or seed < 0:
        raise ValueError(
            f"`num` must be at least 1, `size` at least {MIN_SIZE} pixels and `seed` "
            f"at least 0. Received: num={num}, size={size}, seed={seed}"
        )
    images = np.empty((num, size, size, 3), "uint8")
    captions = []
    for number in range(num):
        rng = np.random.default_rng((seed, number))
        first, second = (THINGS[i] for i in rng.choice(len(THINGS), 2, replace=False))
        relation = RELATIONS[rng.integers(len(RELATIONS))]
        places = _places(rng, size, first, second, relation)
        images[number] = _draw(rng, size, zip((first, second), places, strict=True))
        captions.append(descriptions(first, relation, second))
    return images, captions


def descriptions(first, relation, second):
    """Both descriptions of a scene, from each of its things."""
    one, other = (f"a {' '.join(thing)}" for thing in (first, second))
    return f"{one} {relation} {other}", f"{other} {OPPOSITE[relation]} {one}"


def _places(rng, size, first, second, relation):
    """The centers `(x, y)` of both things, the first one above or left."""
    radii = [RADII[thing[0]] * size for thing in (first, second)]
    apart = sum(radii) + 0.03 * size
    while True:
        along = [rng.uniform(r + 1, size - r - 1) for r in radii]
        across = [rng.uniform(r + 1, size - r - 1) for r in radii]
        distance = along[1] - along[0]
        # The relation is plain: the other direction differs by less than half as much.
        if distance >= apart and abs(across[1] - across[0]) < distance / 2:
            break
    pairs = zip(across, along, strict=True)
    return [pair if relation == "above" else pair[::-1] for pair in pairs]


def _draw(rng, size, things):
    ground = tuple(int(x) for x in rng.integers(20, 70, 3))
    image = Image.new("RGB", (ZOOM * size, ZOOM * size), ground)
    pen = ImageDraw.Draw(image)
    for (radius, color, shape), (x, y) in things:
        color = np.clip(COLORS[color] + rng.normal(0, 10, 3), 0, 255)
        radius = RADII[radius] * size * rng.uniform(0.92, 1.08)
        center_and_radius = (ZOOM * value for value in (x, y, radius))
        _draw_shape(pen, shape, *center_and_radius, tuple(int(c) for c in color))
    pixels = np.asarray(image.reduce(ZOOM), "float32")
    pixels = pixels + rng.normal(0, 6, pixels.shape)
    return np.rint(pixels).clip(0, 255).astype("uint8")


def _draw_shape(pen, shape, x, y, radius, color):
    if shape == "circle":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), color)
    elif shape == "square":
        side = 0.88 * radius  # about the area of the circle
        pen.rectangle((x - side, y - side, x + side, y + side), color)
    elif shape == "triangle":
        corners = [(0, -1.1), (1.05, 0.85), (-1.05, 0.85)]
        pen.polygon([(x + radius * a, y + radius * b) for a, b in corners], color)
    else:
        arm = 0.36 * radius
        pen.rectangle((x - radius, y - arm, x + radius, y + arm), color)
        pen.rectangle((x - arm, y - radius, x + arm, y + radius), color)
