import keras
import numpy as np
import pytest

from kerasseq.training import ExpectedCalibrationError, FocalLoss
from tests.training.small_masks import filled_up, random_masks, train_on_blobs

SHAPES = [(200,), (4, 6, 5)]


def updated(metric, *batches):
    for batch in batches:
        metric.update_state(*batch)
    return float(metric.result())


def by_numpy(labels, logits, weights, num_bins):
    """Equation 3 of the paper, bin by bin."""
    powers = np.exp(logits)
    confidence = (powers / powers.sum(-1, keepdims=True)).max(-1)
    right = logits.argmax(-1) == labels
    error = 0
    for number in range(num_bins):
        low, high = number / num_bins, (number + 1) / num_bins
        inside = weights * ((low < confidence) & (confidence <= high))
        if inside.sum():
            gap = np.average(right, weights=inside)
            gap -= np.average(confidence, weights=inside)
            error += inside.sum() / weights.sum() * abs(gap)
    return error


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("num_bins", [1, 10, 15])
def test_equals_numpy(shape, num_bins):
    batches = [random_masks(seed, shape) for seed in range(2)]
    parts = [np.concatenate(part) for part in zip(*batches, strict=True)]
    value = updated(ExpectedCalibrationError(num_bins), *batches)
    np.testing.assert_allclose(value, by_numpy(*parts, num_bins), rtol=1e-4)


def test_by_hand():
    logits = np.log([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    # Sure by 0.9 and right with one of two; sure by 0.6 and right with both.
    value = updated(ExpectedCalibrationError(10), (np.array([0, 1, 0, 1]), logits))
    np.testing.assert_allclose(value, (0.4 + 0.4) / 2, rtol=1e-5)


def test_certainty_is_in_the_last_bin():
    metric = ExpectedCalibrationError(4)
    updated(metric, (np.array([0, 0]), np.array([[200.0, 0.0], [0.0, 0.0]])))
    bins = keras.ops.convert_to_numpy(metric.bins)
    np.testing.assert_allclose(bins[0], [0, 1, 0, 1])


def test_void_counts_like_weight_zero():
    labels, logits, weights = random_masks()
    expected = updated(ExpectedCalibrationError(), (labels, logits, weights))
    labels = np.where(weights > 0, labels, 255)
    metric = ExpectedCalibrationError(ignore_class=255)
    np.testing.assert_allclose(updated(metric, (labels, logits)), expected, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_of_weight_zero_counts_nowhere(shape):
    labels, logits, _ = random_masks(shape=shape)
    weights = np.ones(shape[0], "float32")
    expected = updated(ExpectedCalibrationError(), (labels, logits))
    filled = filled_up(labels, logits, weights)
    value = updated(ExpectedCalibrationError(), filled)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_nothing_is_zero():
    assert float(ExpectedCalibrationError().result()) == 0


def test_under_xla():
    metric = ExpectedCalibrationError(ignore_class=255)
    history = train_on_blobs(FocalLoss(0.0, ignore_class=255), [metric])
    assert 0 < history[metric.name][-1] < 0.5


def test_config_round_trip():
    config = {
        "num_bins": 10,
        "ignore_class": 255,
        "name": "calibration",
        "dtype": "float32",
    }
    metric = ExpectedCalibrationError(**config)
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert metric.get_config() == again.get_config() == config
    name = keras.saving.get_registered_name(type(again))
    assert name == "kerasseq>ExpectedCalibrationError"


def test_no_bins():
    with pytest.raises(ValueError, match="num_bins=0"):
        ExpectedCalibrationError(0)
