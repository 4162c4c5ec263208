"""One image or mask file as an array: what Pillow reads, in one form."""

import contextlib
import pathlib

import numpy as np
from PIL import Image, ImageOps

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
_GRAY = ("1", "L", "LA", "La")
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_DEEPEST = 65535


def image_paths(folder):
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


def image_shape(path):
    """Returns `(height, width, channels)` as `read_image` gives it, from the header.

    Raises:
        ValueError: naming the file, where it is no image.
    """
    with _opened(path) as image:
        width, height = image.size
        if image.getexif().get(0x0112) in (5, 6, 7, 8):  # lies on its side
            width, height = height, width
        return height, width, _num_channels(image)


def read_image(path, size=None, num_channels=None):
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
    with _opened(path) as image:
        num_channels = num_channels or _num_channels(image)
        image = ImageOps.exif_transpose(image)
        image = _deep_to_8_bit(image) if image.mode in (*_DEEP, "F") else image
        image = _on_white(image) if image.has_transparency_data else image
        return _fitted(image, size, num_channels)


def fit_image(image, size=None, num_channels=None):
    """The same for an image in memory: uint8 `(height, width, channels)` to such."""
    num_channels = num_channels or image.shape[-1]
    if num_channels == image.shape[-1] and size in (None, image.shape[:2]):
        return image
    image = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    return _fitted(image, size, num_channels)


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
    with _opened(path) as image:
        if image.format == "JPEG":
            raise _RefusedError(
                "JPEG blurs the class numbers of a mask; make the masks anew as PNG"
            )
        image = ImageOps.exif_transpose(image)
        values = Image.fromarray(_class_numbers(image))
        if size is not None and values.size != tuple(size[::-1]):
            values = values.resize(tuple(size[::-1]), Image.Resampling.NEAREST)
        return np.array(values, "int32")


class _RefusedError(ValueError):
    """What this file refuses; its message says how to mend it."""


@contextlib.contextmanager
def _opened(path):
    """An open image; every error within names the file."""
    try:
        with Image.open(path) as image:
            yield image
    except _RefusedError as error:
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
        return "it is not an image, or damaged from its beginning"
    return str(error).strip() or type(error).__name__


def _fitted(image, size, num_channels):
    image = image.convert("L" if num_channels == 1 else "RGB")
    if size is not None and image.size != tuple(size[::-1]):
        image = image.resize(tuple(size[::-1]), Image.Resampling.BILINEAR)
    return np.array(image).reshape(image.height, image.width, num_channels)


def _num_channels(image):
    return 1 if image.mode in (*_GRAY, *_DEEP, "F") else 3


def _deep_to_8_bit(image):
    values = _whole_numbers(image)
    if values.max() > _DEEPEST or values.min() < 0:
        raise _RefusedError(
            "its pixels have more than 16 bits and no fixed scale; save it with 8 or "
            f"16 bits. Received: values from {values.min()} to {values.max()}"
        )
    return Image.fromarray(np.rint(values / (_DEEPEST / 255)).astype("uint8"))


def _whole_numbers(image):
    if image.mode == "F":
        raise _RefusedError("its pixels are floating point; save it with 8 or 16 bits")
    return np.array(image).astype("int32")


def _on_white(image):
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA"))


def _class_numbers(image):
    if image.mode in ("P", "1", "L", "F", *_DEEP):
        return _whole_numbers(image)
    colors = np.array(image.convert("RGBA")).astype("int32")
    values = colors[..., 0]
    equal = (colors[..., :3] == values[..., None]).all()
    if not equal or (colors[..., 3] != 255).any():
        raise _RefusedError(
            "a mask holds one class number per pixel, as gray or palette values, and "
            f"not colors; convert it. Received: mode={image.mode!r}"
        )
    return values
