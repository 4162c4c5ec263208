import numpy as np
import pytest
from scipy import ndimage

from kerasseq import data

weights_of = data.boundary_weights
instances_of = data.instances_from_masks


def plain(instances, w0, sigma):
    """Equation 2 over the whole picture, with w_c = 1."""
    numbers = np.setdiff1d(instances, [0])
    far = [ndimage.distance_transform_edt(instances != number) for number in numbers]
    d1, d2 = np.sort(far, axis=0)[:2]
    return 1 + (instances == 0) * w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2))


def test_by_hand():
    weights = weights_of(np.array([[1, 0, 2, 0, 0]]), w0=3, sigma=2.0, balance=False)
    border = [np.exp(-4 / 8), np.exp(-16 / 8), np.exp(-36 / 8)]
    expected = [1, 1 + 3 * border[0], 1, 1 + 3 * border[1], 1 + 3 * border[2]]
    np.testing.assert_allclose(weights, [expected], rtol=1e-6)
    assert weights.dtype == "float32"


def test_equals_the_equation_over_the_whole_picture():
    instances = np.random.default_rng(0).integers(0, 5, (40, 50))
    instances *= np.random.default_rng(1).random((40, 50)) < 0.01
    instances[instances == 2] = 4000  # numbers need not be consecutive
    for sigma in (0.5, 2.0, 5.0):
        ours = weights_of(instances, sigma=sigma, balance=False)
        np.testing.assert_allclose(ours, plain(instances, 10, sigma), rtol=1e-6)


def test_balance_is_that_of_scikit_learn_over_all_maps():
    instances = np.zeros((2, 4, 4), "int32")
    instances[0, :2, :2] = 1
    weights = weights_of(instances)
    np.testing.assert_allclose(weights[instances == 0], 32 / (2 * 28), rtol=1e-6)
    np.testing.assert_allclose(weights[instances == 1], 32 / (2 * 4), rtol=1e-6)
    np.testing.assert_allclose(weights.mean(), 1, rtol=1e-6)


@pytest.mark.parametrize("number", [0, 1])
def test_nothing_to_weigh(number):
    weights = weights_of(np.full((3, 4), number))
    np.testing.assert_array_equal(weights, np.ones((3, 4)))


def test_maps_do_not_reach_each_other():
    two, one = np.array([[1, 0, 2]]), np.array([[1, 0, 0]])
    both = weights_of(np.stack([two, one]), balance=False)
    np.testing.assert_array_equal(both[0], weights_of(two, balance=False))
    np.testing.assert_array_equal(both[1], np.ones((1, 3)))


def test_instances():
    mask = [
        [1, 0, 2, 2, 0],
        [0, 1, 0, 2, 0],
        [0, 0, 0, 255, 1],
    ]
    expected = [
        [1, 0, 3, 3, 0],
        [0, 1, 0, 3, 0],
        [0, 0, 0, 0, 2],
    ]
    ours = instances_of(np.array([mask, mask]), ignore_class=255)
    np.testing.assert_array_equal(ours, [expected, expected])
    assert ours.dtype == "int32"
    other = instances_of(np.array([[1, 0, 1]], "uint8"), background=1)
    np.testing.assert_array_equal(other, [[0, 1, 0]])


def test_errors():
    maps = np.zeros((4, 4), int)
    with pytest.raises(ValueError, match="w0=-1, sigma=5.0"):
        weights_of(maps, w0=-1)
    with pytest.raises(ValueError, match="sigma=0"):
        weights_of(maps, sigma=0)
    with pytest.raises(ValueError, match="positive elsewhere.*from -1"):
        weights_of(maps - 1)
    with pytest.raises(ValueError, match=r"`instances`.*\(1, 4, 4, 1\)"):
        weights_of(np.zeros((1, 4, 4, 1), int))
    with pytest.raises(ValueError, match="`masks` must hold integers.*float64"):
        instances_of(np.zeros((4, 4)))
