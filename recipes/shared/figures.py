"""What all pictures of a run share: their look, their size, how they are written."""

import contextlib
import io
import math

from kerasseq.utils import atomic

MAX_BYTES = 150_000
_STYLE = {
    "font.size": 9,
    "figure.titlesize": 10,
    "axes.titlesize": 9,
    "axes.titlepad": 3,
    "legend.frameon": False,
    "text.parse_math": False,  # names of classes may hold a dollar sign
    # A light page whatever the user's own style.
    "text.color": "black",
    "axes.facecolor": "white",
    "axes.edgecolor": "black",
    "axes.labelcolor": "black",
    "xtick.color": "black",
    "ytick.color": "black",
}


@contextlib.contextmanager
def figure(path, width, height):
    """A figure that is written as a PNG when the block ends without an error.

    A picture of more than `MAX_BYTES` loses colors first, then resolution. Empty
    margins are cut off.

    Args:
        path: Path of the PNG; it appears whole or not at all.
        width: Width in inches.
        height: Height in inches.

    Yields:
        The `matplotlib.figure.Figure`, with a constrained layout.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        size = (width, height)
        drawn = Figure(figsize=size, layout="constrained", facecolor="white")
        yield drawn
        data = _png(drawn)
    with atomic.replace_file(path, "wb") as file:
        file.write(data)


def log_scale(axes, numbers=(1, 2, 5)):
    """Makes the vertical axis logarithmic, with these numbers in each decade."""
    from matplotlib import ticker

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=numbers))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(ticker.NullLocator())


def panels(drawn, num_rows, num_columns):
    """A grid of axes without frames, an array `(num_rows, num_columns)`."""
    grid = drawn.subplots(num_rows, num_columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    return grid


def panel_size(images, width):
    """Width and height in inches of a panel that holds one of the images."""
    height = width * images.shape[1] / images.shape[2]
    shrink = min(1, math.sqrt(2) * width / height)  # tall images: narrower panels
    return max(shrink * width, 0.6 * width), shrink * height


def shorten(text, width, font_size=9):
    """Cuts a text to about `width` inches, with an ellipsis where it was cut."""
    text, length = str(text), max(int(width / font_size * 120), 2)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _png(drawn):
    from PIL import Image

    data = b""
    for dpi in (110, 90, 75, 60, 48):
        file = io.BytesIO()
        options = {"bbox_inches": "tight", "pad_inches": 0.06}
        drawn.savefig(file, dpi=dpi, metadata={"Software": None}, **options)
        image = Image.open(file, formats=["PNG"]).convert("RGB")
        for kept in (image, _with_few_colors(image)):
            file = io.BytesIO()
            kept.save(file, "PNG", optimize=True)
            data = file.getvalue()
            if len(data) <= MAX_BYTES:
                return data
    return data


def _with_few_colors(image):
    """The image in 255 colors of its own, and a white that stays white."""
    few = image.quantize(255)
    colors = few.getpalette()[: 3 * 255]
    few.putpalette(colors + [255] * (3 * 256 - len(colors)))
    return image.quantize(palette=few)
