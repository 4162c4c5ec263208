"""Pictures of a segmenter: the colors of errors, the IoU, the images chosen."""

import matplotlib.axes
import numpy as np
import PIL.Image
import pytest

from kerasseq import data
from recipes.segment import mask_plots
from recipes.shared import figures, masks

RNG = np.random.default_rng(0)
NAMES = ["background", "cat", "a name that goes on and on and on"]
TRUTH = np.array([[[0, 0, 1, 1], [0, 1, 2, 255]]])
PREDICTED = np.array([[[0, 1, 1, 0], [0, 1, 1, 2]]])
KINDS = [[0, 2, 0, 1], [0, 0, 3, 0]]  # 1 missed, 2 false alarm, 3 wrong class


def picture(path):
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert 1_000 < path.stat().st_size <= figures.MAX_BYTES
    assert [*path.parent.iterdir()] == [path]
    return np.array(PIL.Image.open(path).convert("RGB"))


@pytest.fixture
def shown(monkeypatch):
    """The arrays that are drawn, one per panel."""
    arrays, imshow = [], matplotlib.axes.Axes.imshow

    def listening(self, array, **options):
        arrays.append(np.asarray(array))
        return imshow(self, array, **options)

    monkeypatch.setattr(matplotlib.axes.Axes, "imshow", listening)
    return arrays


def random_masks(num=4, size=16, num_classes=3):
    images = RNG.integers(0, 256, (num, size, size, 1), "uint8")
    return images, *RNG.integers(0, num_classes, (2, num, size, size))


def test_iou_by_hand():
    found = mask_plots.image_ious(TRUTH, PREDICTED, 3, ignore_class=255)
    # Classes: 2 of 4 and 2 of 5 pixels, and 0 of 1.
    np.testing.assert_allclose(found, [(2 / 4 + 2 / 5 + 0) / 3])


def test_iou_leaves_out_classes_that_are_not_there():
    masks = np.array([[[0, 0]], [[1, 2]], [[255, 255]]])
    found = mask_plots.image_ious(masks, masks % 255, 3, ignore_class=255)
    np.testing.assert_array_equal(found, [1, 1, np.nan])


def test_error_kinds():
    found = mask_plots.error_kinds(TRUTH, PREDICTED, ignore_class=255)
    np.testing.assert_array_equal(found[0], KINDS)
    counted = mask_plots.error_kinds(TRUTH, PREDICTED)
    assert counted[0, 1, 3] == 3
    no_background = mask_plots.error_kinds(TRUTH, PREDICTED, 255, background=None)
    np.testing.assert_array_equal(no_background[0], 3 * (np.array(KINDS) > 0))


def test_masks_in_their_colors(tmp_path, shown):
    images = np.full((1, 2, 4, 1), 100, "uint8")
    mask_plots.draw_masks(
        tmp_path / "a.png", images, TRUTH, PREDICTED, NAMES, ignore_class=255
    )
    picture(tmp_path / "a.png")
    image, truth, predicted, errors = shown
    colors = masks.palette(3)
    np.testing.assert_array_equal(image, np.broadcast_to(100, (2, 4, 3)))
    np.testing.assert_array_equal(predicted, colors[PREDICTED[0]])
    np.testing.assert_array_equal(truth[0], colors[TRUTH[0, 0]])
    np.testing.assert_array_equal(truth[1, 3], masks.VOID)
    for number, color in enumerate(mask_plots.ERRORS.values(), 1):
        np.testing.assert_array_equal(
            (errors == color).all(axis=-1), np.array(KINDS) == number
        )
    np.testing.assert_array_equal(errors[1, 3], masks.VOID)


def test_many_classes_and_a_background_elsewhere(tmp_path):
    images, truth, predicted = random_masks(2, 20, 20)
    names = [f"{NAMES[2]} {i}" for i in range(20)]
    mask_plots.draw_masks(
        tmp_path / "a.png", images, truth, predicted, names, background=1, title="All"
    )
    assert picture(tmp_path / "a.png").shape[1] < 1000


def test_worst_masks_come_first(tmp_path):
    images, masks, _ = data.generated_cells(4, size=32)
    predicted = masks.copy()
    predicted[2] = 1 - masks[2]
    predicted[1, :16] = 0
    arguments = (tmp_path / "a.png", images, masks, predicted, NAMES[:2])
    assert mask_plots.draw_worst_masks(*arguments, count=2) == [2, 1]
    picture(tmp_path / "a.png")


def test_worst_masks_without_a_pixel_that_counts_come_last(tmp_path):
    images, truth, predicted = random_masks(3)
    truth[0] = 255
    found = mask_plots.draw_worst_masks(
        tmp_path / "a.png", images, truth, predicted, NAMES, 255, title=None
    )
    assert found[-1] == 0
    picture(tmp_path / "a.png")


def test_heads_of_each_kind(tmp_path, shown):
    images, truth, predicted = random_masks(2)
    outputs = {
        "mask": predicted,
        "probability": RNG.random((2, 16, 16, 1)),
        "distance": RNG.normal(size=(2, 16, 16)),
        "restored": RNG.random((2, 16, 16, 3)) * 255,
    }
    mask_plots.draw_heads(tmp_path / "a.png", images, outputs, {"mask": truth})
    picture(tmp_path / "a.png")
    assert len(shown) == 2 * 6
    np.testing.assert_array_equal(shown[2], masks.colors_of(truth[0], 3))
    np.testing.assert_array_equal(shown[4], masks.colors_of(predicted[0], 3))
    assert shown[6].shape == shown[8].shape == (16, 16)
    assert shown[10].dtype == "uint8"
