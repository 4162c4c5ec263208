"""Masks as files and overlays."""

import pathlib
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from recipes.shared import masks

MASK = np.array([[0, 1, 2], [3, 254, 255]])


def test_mask_file_holds_class_numbers_and_colors(tmp_path):
    path = tmp_path / "mask.png"
    masks.save_mask(path, MASK)
    image = PIL.Image.open(path)
    assert image.mode == "P"
    np.testing.assert_array_equal(np.array(image), MASK)
    colors = np.array(image.convert("RGB"))
    np.testing.assert_array_equal(colors[0], masks.palette(3))
    np.testing.assert_array_equal(colors[1, 2], masks.VOID)
    assert [*tmp_path.iterdir()] == [path]


def test_mask_of_booleans(tmp_path):
    masks.save_mask(tmp_path / "mask.PNG", MASK > 1)
    found = np.array(PIL.Image.open(tmp_path / "mask.PNG"))
    np.testing.assert_array_equal(found, MASK > 1)


@pytest.mark.parametrize(
    ("mask", "name", "message"),
    [
        (MASK * 1.0, "a.png", "integers .*float64"),
        (MASK[None], "a.png", r"shape \(1, 2, 3\)"),
        (MASK + 1, "a.png", "from 1 to 256"),
        (MASK - 1, "a.png", "from -1 to 254"),
        (MASK, "a.jpg", "path='a.jpg'"),
    ],
)
def test_bad_masks(mask, name, message):
    with pytest.raises(ValueError, match=message):
        masks.save_mask(name, mask)


def test_palette():
    colors = masks.palette(256)
    assert colors.shape == (256, 3) and colors.dtype == "uint8"
    np.testing.assert_array_equal(masks.palette(5), colors[:5])
    assert len(np.unique(colors[:100], axis=0)) == 100


def test_overlay_pixels():
    image = np.full((2, 3, 1), 100, "uint8")
    found = masks.mask_overlay(image, MASK, 3)
    assert found.shape == (2, 3, 3) and found.dtype == "uint8"
    np.testing.assert_array_equal(found[0, 0], [100, 100, 100])
    np.testing.assert_array_equal(found[0, 1], [165, 130, 50])  # half of e69f00
    np.testing.assert_array_equal(found[0, 2], [93, 140, 166])
    np.testing.assert_array_equal(found[1], np.full((3, 3), 150))  # no classes: gray


def test_overlay_of_the_background_and_opacity():
    image = np.full((2, 3), 100.0)
    all_painted = masks.mask_overlay(image, MASK, 256, opacity=1.0, background=None)
    np.testing.assert_array_equal(all_painted, masks.colors_of(MASK, 256))
    nothing = masks.mask_overlay(image, MASK, 256, opacity=0.0)
    assert (nothing == 100).all()


def test_bad_overlays():
    with pytest.raises(ValueError, match=r"\(4, 4, 3\), mask of shape \(2, 3\)"):
        masks.mask_overlay(np.zeros((4, 4, 3)), MASK, 3)
    with pytest.raises(ValueError, match=r"Received: image of shape \(2, 3, 2\)"):
        masks.mask_overlay(np.zeros((2, 3, 2)), MASK, 3)


def test_rgb_clips():
    found = masks.rgb(np.array([[-5.0, 12.6, 300.0, np.nan]]))
    np.testing.assert_array_equal(found[0, :, 0], [0, 13, 255, 0])


def test_needs_neither_keras_nor_matplotlib():
    code = "import sys; from recipes.shared import masks; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=pathlib.Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"keras", "tensorflow", "matplotlib"} & set(loaded)
