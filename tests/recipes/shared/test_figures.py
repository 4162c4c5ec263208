"""Figures: small files, whole or not at all."""

import matplotlib
import numpy as np
import PIL.Image
import pytest

from recipes.shared import figures


def test_noise_is_kept_small(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), "uint8")
    with figures.figure(tmp_path / "noise.png", 8, 8) as drawn:
        figures.panels(drawn, 1, 1)[0, 0].imshow(noise)
    data = (tmp_path / "noise.png").read_bytes()
    assert 10_000 < len(data) <= figures.MAX_BYTES
    image = PIL.Image.open(tmp_path / "noise.png").convert("RGB")
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_an_error_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"earlier")
    with pytest.raises(RuntimeError), figures.figure(path, 1, 1):
        raise RuntimeError
    assert path.read_bytes() == b"earlier"
    assert [*tmp_path.iterdir()] == [path]


def test_the_page_is_white_whatever_the_users_style(tmp_path):
    dark = {"figure.facecolor": "black", "savefig.facecolor": "auto"}
    with matplotlib.rc_context(dark):
        with figures.figure(tmp_path / "a.png", 1, 1) as drawn:
            figures.panels(drawn, 1, 1)[0, 0].text(0.3, 0.3, "costs $5 or $6")
    image = PIL.Image.open(tmp_path / "a.png").convert("L")
    assert image.getpixel((0, 0)) == 255
    assert image.getextrema()[0] == 0


def test_panel_size():
    assert figures.panel_size(np.zeros((1, 10, 20, 3)), 2) == (2, 1)
    assert figures.panel_size(np.zeros((1, 20, 20, 3)), 2) == (2, 2)
    width, height = figures.panel_size(np.zeros((1, 50, 20, 3)), 2)
    assert 1.2 <= width < 2 and 2 < height < 3


def test_shorten():
    assert figures.shorten("a cat", 1) == "a cat"
    assert figures.shorten("a cat and another", 0.5) == "a cat…"
    assert figures.shorten(7, 0.1) == "7"
