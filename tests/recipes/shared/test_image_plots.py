"""Pictures of a classifier: files of a plausible size, and the right images."""

import math

import numpy as np
import PIL.Image
import pytest

from recipes.shared import figures, image_plots

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (5, 12, 12, 3), "uint8")
NAMES = ["cat", "dog", "a name that goes on and on and on", "$x$"]


def picture(path):
    """The picture as an RGB array, after a look at the file."""
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert 1_000 < path.stat().st_size <= figures.MAX_BYTES
    assert [*path.parent.iterdir()] == [path]
    return np.array(PIL.Image.open(path).convert("RGB"))


def test_confusion_matrix_is_dark_on_the_diagonal(tmp_path):
    path, truth = tmp_path / "a.png", np.repeat([0, 1], 30)
    image_plots.draw_confusion(path, truth, truth, ["a", "b"])
    right = (picture(path) == (8, 48, 107)).all(axis=-1)  # the darkest of Blues
    image_plots.draw_confusion(path, truth, 1 - truth, ["a", "b"])
    wrong = (picture(path) == (8, 48, 107)).all(axis=-1)
    # The upper half of the matrix: dark on the left, and when all is wrong right.
    rows = np.flatnonzero(right.sum(axis=1) > 20)
    upper = slice(rows[0] + 3, rows.mean().astype(int) - 3)
    columns = [np.flatnonzero(x[upper].sum(axis=0) > 20) for x in (right, wrong)]
    assert len(columns[0]) > 30
    assert columns[0].max() <= columns[1].min()


@pytest.mark.parametrize("num_classes", [2, 12, 40, 41, 200])
def test_confusion_of_any_number_of_classes(tmp_path, num_classes):
    names = [f"{NAMES[i % 4]} {i}" for i in range(num_classes)]
    truth = RNG.integers(0, num_classes, 3000)
    predicted = np.where(RNG.random(3000) < 0.8, truth, RNG.permutation(truth))
    image_plots.draw_confusion(tmp_path / "a.png", truth, predicted, names)
    height, width, _ = picture(tmp_path / "a.png").shape
    assert max(height, width) < 1600


def test_confusion_without_an_error(tmp_path):
    names = [str(i) for i in range(50)]
    image_plots.draw_confusion(tmp_path / "a.png", range(50), range(50), names)
    picture(tmp_path / "a.png")


def test_large_counts_are_shortened():
    found = [image_plots._short_number(x) for x in (7, 9999, 12_345, 3_600_000)]
    assert found == ["7", "9999", "12k", "4M"]


def test_worst_are_the_most_confident_errors(tmp_path):
    probabilities = np.array(
        [[0.1, 0.9], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7], [1.0, 0.0]]
    )
    truth = [0, 0, 1, 1, 0]  # wrong: 0, 1, 2
    arguments = (tmp_path / "a.png", IMAGES, truth, probabilities, NAMES)
    assert image_plots.draw_worst(*arguments) == [0, 2, 1]
    picture(tmp_path / "a.png")
    assert image_plots.draw_worst(*arguments, count=2) == [0, 2]


def test_worst_without_an_error(tmp_path):
    found = image_plots.draw_worst(
        tmp_path / "a.png", IMAGES[..., :1], np.arange(4), np.eye(4), NAMES
    )
    assert found == []
    picture(tmp_path / "a.png")


@pytest.mark.parametrize("num", [1, 2, 5])
def test_heat_leaves_cold_places_and_paints_hot_ones(tmp_path, num):
    images = np.full((num, 12, 12, 1), 128, "uint8")
    heat = np.zeros((num, 12, 12))
    heat[:, 6:] = 1
    titles = ["cat", "dog", "a title that is too long for it", "", "$"][:num]
    image_plots.draw_heat(tmp_path / "a.png", images, heat, titles)
    found = picture(tmp_path / "a.png").reshape(-1, 3).astype("int32")
    gray = (np.abs(found - 128) <= 2).all(axis=-1).sum()
    yellow = ((found[:, 0] > 200) & (found[:, 2] < 170) & (found[:, 1] > 200)).sum()
    assert gray == pytest.approx(3 * yellow, rel=0.2)  # a picture and a half


@pytest.mark.parametrize("channels", [1, 3])
def test_regression(tmp_path, channels):
    images, outputs = IMAGES[:2, ..., :channels], IMAGES[:2, ..., :channels] / 2
    image_plots.draw_regression(tmp_path / "a.png", images, outputs)
    narrow = picture(tmp_path / "a.png").shape
    image_plots.draw_regression(tmp_path / "a.png", images, outputs, images)
    assert picture(tmp_path / "a.png").shape[1] > 1.3 * narrow[1]


def test_psnr():
    image = np.zeros((4, 4, 1), "uint8")
    assert image_plots.psnr(image, image) == math.inf
    assert image_plots.psnr(image + np.uint8(255), image) == 0
    assert image_plots.psnr(image, image + 25.5) == pytest.approx(20)
