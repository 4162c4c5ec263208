"""Masks as files and overlays."""

import pathlib
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from recipes import mask_files

MASK = np.array([[0, 1, 2], [3, 254, 255]])


def test_mask_file_holds_class_numbers_and_colours(tmp_path):
    path = tmp_path / "mask.png"
    mask_files.save_mask(path, MASK)
    image = PIL.Image.open(path)
    assert image.mode == "P"
    np.testing.assert_array_equal(np.array(image), MASK)
    colours = np.array(image.convert("RGB"))
    np.testing.assert_array_equal(colours[0], mask_files.palette(3))
    np.testing.assert_array_equal(colours[1, 2], mask_files.VOID)
    assert [*tmp_path.iterdir()] == [path]


def test_mask_of_booleans(tmp_path):
    mask_files.save_mask(tmp_path / "mask.PNG", MASK > 1)
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
        mask_files.save_mask(name, mask)


def test_palette():
    colours = mask_files.palette(256)
    assert colours.shape == (256, 3) and colours.dtype == "uint8"
    np.testing.assert_array_equal(mask_files.palette(5), colours[:5])
    assert len(np.unique(colours[:100], axis=0)) == 100


def test_overlay_pixels():
    image = np.full((2, 3, 1), 100, "uint8")
    found = mask_files.mask_overlay(image, MASK, 3)
    assert found.shape == (2, 3, 3) and found.dtype == "uint8"
    np.testing.assert_array_equal(found[0, 0], [100, 100, 100])
    np.testing.assert_array_equal(found[0, 1], [165, 130, 50])  # half of e69f00
    np.testing.assert_array_equal(found[0, 2], [93, 140, 166])
    np.testing.assert_array_equal(found[1], np.full((3, 3), 150))  # no classes: gray


def test_overlay_of_the_background_and_opacity():
    image = np.full((2, 3), 100.0)
    all_painted = mask_files.mask_overlay(
        image, MASK, 256, opacity=1.0, background=None
    )
    np.testing.assert_array_equal(all_painted, mask_files.colours_of(MASK, 256))
    nothing = mask_files.mask_overlay(image, MASK, 256, opacity=0.0)
    assert (nothing == 100).all()


def test_bad_overlays():
    with pytest.raises(ValueError, match=r"\(4, 4, 3\), mask of shape \(2, 3\)"):
        mask_files.mask_overlay(np.zeros((4, 4, 3)), MASK, 3)
    with pytest.raises(ValueError, match=r"Received: image of shape \(2, 3, 2\)"):
        mask_files.mask_overlay(np.zeros((2, 3, 2)), MASK, 3)


def test_rgb_clips():
    found = mask_files.rgb(np.array([[-5.0, 12.6, 300.0, np.nan]]))
    np.testing.assert_array_equal(found[0, :, 0], [0, 13, 255, 0])


def test_needs_neither_keras_nor_matplotlib():
    code = "import sys; from recipes import mask_files; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=pathlib.Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"keras", "tensorflow", "matplotlib"} & set(loaded)
