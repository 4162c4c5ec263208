import numpy as np
import pytest

from kerasseq import data

cells = data.generated_cells


@pytest.fixture(scope="module")
def hundred():
    return cells(100)


def otsu(image):
    """The threshold that leaves the least variance within the two sides."""
    fractions = np.bincount(image.ravel(), minlength=256) / image.size
    below, mean = fractions.cumsum(), (fractions * np.arange(256)).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean[-1] * below - mean) ** 2 / (below * (1 - below))
    return np.nanargmax(between)


def iou(prediction, truth):
    return (prediction & truth).sum() / (prediction | truth).sum()


def test_forms(hundred):
    images, masks, instances = hundred
    assert images.shape == (100, 64, 64, 1) and images.dtype == "uint8"
    assert masks.shape == instances.shape == (100, 64, 64)
    assert masks.dtype == instances.dtype == "int32"
    np.testing.assert_array_equal(masks, instances > 0)
    counts = instances.max((1, 2))
    assert 4 <= counts.min() and counts.max() <= 40
    assert 0.2 < masks.mean() < 0.4
    # Neither dark nor burnt out.
    assert 30 < images.mean() < 100 and (images == 255).mean() < 0.02


def test_equal_seeds_give_equal_cells(hundred):
    for ours, again in zip(hundred, cells(100), strict=True):
        np.testing.assert_array_equal(ours, again)
    np.testing.assert_array_equal(hundred[0][:3], cells(3)[0])
    assert (hundred[0][:3] != cells(3, seed=1)[0]).mean() > 0.5


def test_cells_are_the_components_of_their_mask(hundred):
    _, masks, instances = hundred
    np.testing.assert_array_equal(data.instances_from_masks(masks), instances)
    areas = np.concatenate([np.bincount(each.ravel())[1:] for each in instances])
    assert areas.min() >= 12 and areas.max() < 400


def test_some_cells_touch(hundred):
    weights = data.boundary_weights(hundred[2], balance=False)
    touching = (weights > 1 + 10 * np.exp(-9 / 50)).any((1, 2))
    assert touching.mean() > 0.8


def test_a_threshold_does_not_do(hundred):
    images, masks, _ = hundred
    found = np.stack([image > otsu(image) for image in images[..., 0]])
    assert 0.70 < iou(found, masks > 0) < 0.85


def test_size():
    images, masks, instances = cells(2, size=160, seed=3)
    assert images.shape == (2, 160, 160, 1)
    assert masks.any() and instances.max() > 20


def test_errors():
    with pytest.raises(ValueError, match="num=0, size=64, seed=0"):
        cells(0)
    with pytest.raises(ValueError, match="`size` at least 32 pixels.*size=16"):
        cells(1, size=16)
    with pytest.raises(ValueError, match="seed=-1"):
        cells(1, seed=-1)
