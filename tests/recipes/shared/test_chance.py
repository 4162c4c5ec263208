import numpy as np
import pytest

from recipes.shared import chance

TRUTH = np.array([0, 0, 0, 1, 1])


@pytest.mark.parametrize(
    "predicted, message",
    [
        ([0, 0, 0, 0, 0], "one answer to all test images: 'cat'"),
        ([1, 1, 1, 1, 1], "one answer to all test images: 'dog'"),
        ([1, 0, 0, 0, 1], "accuracy of 0.6000; always 'cat', 0.6000"),
        ([0, 0, 0, 0, 1], None),
    ],
)
def test_classes(predicted, message):
    found = chance.of_classes(TRUTH, np.array(predicted), ["cat", "dog"])
    assert [message in sentence for sentence in found] == [True] * bool(message)


def test_a_test_split_of_one_class_says_nothing():
    assert chance.of_classes(np.zeros(4, int), np.zeros(4, int), ["a", "b"]) == []
