"""The temperature that mends a classifier's confidence."""

import numpy as np
import pytest
from scipy import special

from kerasseq import training


@pytest.fixture
def data():
    """Labels drawn from what the logits say."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(20000, 4)) * 2
    sums = special.softmax(logits, axis=1).cumsum(axis=1)
    return (generator.random((20000, 1)) > sums).sum(axis=1), logits


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_undoes_a_factor(data, factor):
    labels, logits = data
    found = training.fit_temperature(labels, factor * logits)
    assert found == pytest.approx(factor, rel=0.05)


def test_the_calibration_error_falls(data):
    labels, logits = data
    errors = []
    for scaled in (
        3 * logits,
        3 * logits / training.fit_temperature(labels, 3 * logits),
    ):
        metric = training.ExpectedCalibrationError()
        errors.append(float(metric(labels, scaled.astype("float32"))))
    assert errors[1] < 0.02 < errors[0]


def test_pixels_and_a_class_that_does_not_count(data):
    labels, logits = data
    masks, maps = labels.reshape(200, 10, 10), 2 * logits.reshape(200, 10, 10, 4)
    found = training.fit_temperature(masks, maps)
    masks = np.concatenate([masks, np.full((50, 10, 10), 255)])
    maps = np.concatenate([maps, np.full((50, 10, 10, 4), 7.0)])
    again = training.fit_temperature(masks, maps, ignore_class=255)
    assert again == pytest.approx(found)


@pytest.mark.parametrize(
    "labels, logits, message",
    [
        (np.zeros(3), np.zeros((2, 4)), r"shape \(3,\), logits of shape \(2, 4\)"),
        (np.full(3, 255), np.zeros((3, 4)), "no label to fit"),
    ],
)
def test_bad_data(labels, logits, message):
    with pytest.raises(ValueError, match=message):
        training.fit_temperature(labels, logits, ignore_class=255)
