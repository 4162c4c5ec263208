import numpy as np

from kerasseq import ops

MEMORY = np.array([[[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]]], "float32")


def test_dot_scores():
    query = np.array([[2.0, 3.0]], "float32")
    np.testing.assert_allclose(ops.dot_scores(query, MEMORY), [[2, 3, 25]])


def test_additive_scores():
    query, scale = np.zeros((1, 2), "float32"), np.array([1.0, 2.0], "float32")
    expected = np.tanh(MEMORY) @ scale
    np.testing.assert_allclose(ops.additive_scores(query, MEMORY, scale), expected)


def test_padding_gets_no_attention():
    bias = np.array([[0.0, 0.0, ops.MASKED_SCORE]], "float32")
    context, weights = ops.attend(np.zeros((1, 3), "float32"), MEMORY, bias)
    np.testing.assert_allclose(weights, [[0.5, 0.5, 0.0]])
    np.testing.assert_allclose(context, [[0.5, 0.5]])


def test_a_row_without_a_valid_position_is_finite():
    bias = np.full((1, 3), ops.MASKED_SCORE, "float32")
    _, weights = ops.attend(np.zeros((1, 3), "float32"), MEMORY, bias)
    np.testing.assert_allclose(weights, np.full((1, 3), 1 / 3), rtol=1e-6)
