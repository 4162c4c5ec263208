"""One image file as an array: what Pillow reads, in one form.

Pillow is told which formats to try, whatever a file is called: some of its readers
start other programs, and a file named `.png` may come from anywhere.
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

try:
    from PIL import Image, ImageOps
except ImportError as error:  # what takes images in memory does without
    raise ImportError("Image files need Pillow: `pip install pillow`.") from error

SUFFIXES = (
    ".bmp",
    ".gif",
    ".jpeg",
    ".jpg",
    ".pgm",
    ".png",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_GRAY = ("1", "L", "LA", "La")
DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_DEEPEST = 65535

Path = str | os.PathLike[str]


def image_paths(folder: Path) -> list[pathlib.Path]:
    """The image files that lie directly in a folder, sorted by name.

    Files with other suffixes (`SUFFIXES`, in any case) and hidden ones are left out.
    """
    return sorted(
        path
        for path in pathlib.Path(folder).iterdir()
        if path.suffix.lower() in SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
    )


def image_shape(path: Path) -> tuple[int, int, int]:
    """Returns `(height, width, channels)` as `read_image` gives it, from the header.

    Raises:
        ValueError: naming the file, where it is no image.
    """
    with opened(path) as image:
        width, height = image.size
        if image.getexif().get(0x0112) in (5, 6, 7, 8):  # lies on its side
            width, height = height, width
        return height, width, _num_channels(image)


def read_image(
    path: Path, size: Sequence[int] | None = None, num_channels: int | None = None
) -> np.ndarray:
    """Reads one image file as uint8, 0 to 255.

    Turned as its EXIF orientation says. 16-bit gray is scaled to 8 bit, palettes and
    CMYK become RGB, transparent pixels are laid on white. Of an animation or of several
    pages the first is read.

    Args:
        path: path of the file.
        size: `(height, width)` to resize to (bilinear with antialias; the aspect ratio
            is not kept), or `None`.
        num_channels: 1 (gray), 3 (RGB), or `None`: 1 for gray files and 3 for others.

    Returns:
        uint8 array `(height, width, channels)`.

    Raises:
        ValueError: naming the file, where it is empty, truncated, damaged, no image,
            or of a form with no fixed scale (32-bit and floating point pixels).

    Example:
        >>> read_image("cat.jpg", size=(32, 32), num_channels=3).shape
        (32, 32, 3)
    """
    with opened(path) as image:
        return from_pillow(image, size, num_channels)


def from_pillow(
    image: Image.Image,
    size: Sequence[int] | None = None,
    num_channels: int | None = None,
) -> np.ndarray:
    """As `read_image`, of an open Pillow image."""
    try:
        image.load()
    except Exception as error:  # each format's reader raises its own
        raise ValueError(f"The image cannot be read. Received: {error}") from error
    num_channels = num_channels or _num_channels(image)
    image = ImageOps.exif_transpose(image)
    image = _deep_to_8_bit(image) if image.mode in (*DEEP, "F") else image
    image = _on_white(image) if image.has_transparency_data else image
    return _fitted(image, size, num_channels)


def fit_image(
    image: np.ndarray,
    size: Sequence[int] | None = None,
    num_channels: int | None = None,
) -> np.ndarray:
    """The same for an image in memory: uint8 `(height, width, channels)` to such."""
    num_channels = num_channels or image.shape[-1]
    if num_channels == image.shape[-1] and size in (None, image.shape[:2]):
        return image
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    return _fitted(picture, size, num_channels)


class RefusedError(ValueError):
    """What this file refuses; its message says how to mend it."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Opens an image; every error within names the file."""
    try:
        with Image.open(path, formats=_FORMATS) as image:
            yield image
    except RefusedError as error:
        raise ValueError(f"Cannot use {str(path)!r}: {error}") from None
    except Exception as error:  # each format's reader raises its own
        raise ValueError(
            f"Cannot read {str(path)!r}: {_reason(pathlib.Path(path), error)}. Mend "
            "the file or take it away"
        ) from error


def _reason(path, error):
    if not path.is_file():
        return "there is no such file"
    if not path.stat().st_size:
        return "the file is empty"
    if isinstance(error, Image.UnidentifiedImageError):
        known = ", ".join(_FORMATS)
        return f"it is not an image ({known}), or damaged from its beginning"
    return str(error).strip() or type(error).__name__


def _fitted(image, size, num_channels):
    image = image.convert("L" if num_channels == 1 else "RGB")
    if size is not None and image.size != tuple(size[::-1]):
        image = image.resize(tuple(size[::-1]), Image.Resampling.BILINEAR)
    return np.array(image).reshape(image.height, image.width, num_channels)


def _num_channels(image):
    return 1 if image.mode in (*_GRAY, *DEEP, "F") else 3


def _deep_to_8_bit(image):
    values = whole_numbers(image)
    if values.max() > _DEEPEST or values.min() < 0:
        raise RefusedError(
            "its pixels have more than 16 bits and no fixed scale; save it with 8 or "
            f"16 bits. Received: values from {values.min()} to {values.max()}"
        )
    return Image.fromarray(np.rint(values / (_DEEPEST / 255)).astype("uint8"))


def whole_numbers(image: Image.Image) -> np.ndarray:
    """The pixels of a gray image of any depth, as int32."""
    if image.mode == "F":
        raise RefusedError("its pixels are floating point; save it with 8 or 16 bits")
    return np.array(image).astype("int32")


def _on_white(image):
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA"))
