"""Scores of classifiers on a case small enough for the head."""

import math

import numpy as np
import pytest

from recipes.shared import class_scores

NAMES = ["a", "b", "c"]
LABELS = np.array([0, 0, 1, 2])
PROBABILITIES = np.array(
    [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]]
)


def test_scores():
    found = class_scores.scores(LABELS, PROBABILITIES, NAMES)
    assert found["accuracy"] == 0.75
    assert found["recall_by_class"] == {"a": 0.5, "b": 1, "c": 1}
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    expected = (2 * math.log(2) + math.log(4)) / 4
    assert found["cross_entropy"] == pytest.approx(expected, rel=1e-6)
    # At confidence 0.5 two of three are right, at 1 all are.
    assert found["calibration_error"] == pytest.approx((2 / 3 - 0.5) * 3 / 4, rel=1e-5)
    assert "top_5_accuracy" not in found


def test_top_five_of_more_classes():
    probabilities = np.array([[0.3, 0.2, 0.15, 0.14, 0.11, 0.1]] * 2)
    names = list("abcdef")
    found = class_scores.scores(np.array([4, 5]), probabilities, names)
    assert (found["accuracy"], found["top_5_accuracy"]) == (0, 0.5)
    assert "top 5 accuracy 0.5000" in class_scores.summary(found)


def test_a_class_that_never_occurs_counts_as_missed():
    found = class_scores.scores(LABELS[:2], PROBABILITIES[:2], NAMES)
    assert found["recall_by_class"] == {"a": 0.5, "b": 0, "c": 0}


def test_probability_zero_of_the_truth_is_finite():
    found = class_scores.scores(np.array([0]), PROBABILITIES[3:], NAMES)
    assert 50 < found["cross_entropy"] < 100
