"""The samples of a run on a case small enough for the head."""

import numpy as np

from kerasseq import data
from recipes.classify_image import evaluate

NAMES = ["a", "b", "c"]
LABELS = np.array([0, 0, 1, 2])
PROBABILITIES = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])


def test_samples():
    images = data.LabeledImages("x", NAMES, None, None, (None, LABELS))
    rows = evaluate.samples(images, {"probabilities": PROBABILITIES}, 2)
    assert [row["truth"] for row in rows] == ["a", "a"]
    assert [row["prediction"] for row in rows] == ["a", "b"]
    assert [row["probability"] for row in rows] == [0.5, 0.5]
