import keras
import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from kerasseq.training import BoundaryIoU, FocalLoss, MeanIoU
from tests.training.small_masks import certain, filled_up, random_masks, train_on_blobs


def score(labels, predicted, *weights, **settings):
    metric = BoundaryIoU(3, **settings)
    metric.update_state(labels, certain(predicted), *weights)
    return float(metric.result())


def squares(size=20, inset=(3, 3)):
    """Two images of a square, the second one further in or out."""
    masks = np.zeros((2, 1, size, size), "int32")
    for mask, edge in zip(masks[:, 0], inset, strict=True):
        mask[edge:-edge, edge:-edge] = 1
    return masks


def band(region, width):
    """As the authors do: the image ends a region."""
    square = np.ones((3, 3))
    return region & ~binary_erosion(region, square, iterations=width)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_equals_scipy(width):
    labels, predicted = random_masks()[0], random_masks(1)[0]
    # Regions with an inside: every cell four pixels wide.
    labels, predicted = (
        np.kron(m, np.ones((1, 4, 4), int)) for m in (labels, predicted)
    )
    scores = []
    for number in range(3):
        both = either = 0
        for truth, guess in zip(labels == number, predicted == number, strict=True):
            truth, guess = band(truth, width), band(guess, width)
            both, either = both + (truth & guess).sum(), either + (truth | guess).sum()
        scores.append(both / either)
        value = score(labels, predicted, width=width, class_index=number)
        np.testing.assert_allclose(value, scores[-1], rtol=1e-6)
    value = score(labels, predicted, width=width)
    np.testing.assert_allclose(value, np.mean(scores), rtol=1e-6)


def test_by_hand():
    truth, guess = squares(7, (2, 1))
    # Bands of one pixel: the ring of 3 x 3 against the ring of 5 x 5.
    assert score(truth, guess, width=1, class_index=1) == 0
    # Of two pixels: 9 pixels against 25 less 1, with 8 in both.
    value = score(truth, guess, width=2, class_index=1)
    np.testing.assert_allclose(value, 8 / 25, rtol=1e-6)


def test_a_wide_band_is_the_plain_score():
    labels, logits, _ = random_masks()
    plain = MeanIoU(3)
    plain.update_state(labels, logits)
    value = score(labels, logits.argmax(-1), width=5)
    np.testing.assert_allclose(value, float(plain.result()), rtol=1e-6)


def test_is_stricter_than_the_plain_score_on_large_regions():
    truth, guess = squares(40, (5, 6))
    plain = MeanIoU(3)
    plain.update_state(truth, certain(guess))
    assert score(truth, guess) < 0.5 < 0.8 < float(plain.result())


def test_void_along_the_edge_costs_nothing():
    truth, guess = squares(20, (5, 4))
    truth[0, 3:-3, 3:-3] = 255
    truth[0, 6:-6, 6:-6] = 1
    assert score(truth, guess, ignore_class=255) == 1


def test_a_row_of_weight_zero_counts_nowhere():
    labels, logits, weights = random_masks()
    predicted = logits.argmax(-1)
    value = score(*filled_up(labels, predicted, weights), width=1)
    expected = score(labels, predicted, weights, width=1)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_under_xla():
    loss = FocalLoss(ignore_class=255)
    history = train_on_blobs(loss, [BoundaryIoU(2, ignore_class=255)])
    assert history["boundary_iou"][-1] > max(0.7, history["boundary_iou"][0])


def test_config_round_trip():
    config = {
        "num_classes": 3,
        "width": 4,
        "ignore_class": 255,
        "class_index": 1,
        "name": "edges",
        "dtype": "float32",
    }
    metric = BoundaryIoU(**config)
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert metric.get_config() == again.get_config() == config
    assert keras.saving.get_registered_name(type(again)) == "kerasseq>BoundaryIoU"


def test_width_of_no_pixel():
    with pytest.raises(ValueError, match="width=0"):
        BoundaryIoU(3, width=0)
