import numpy as np
import pytest

from kerasseq import layers, training

X = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
LABELS = np.array([[0, 1, 2, 1], [2, 2, 0, 0]])


def test_losses_of_a_sequence_add_up_to_its_log_probability():
    """All sequences of two labels have the probability 1 together."""
    log_probabilities = layers.CRF(2)(X[:1, :3])
    paths = np.stack(np.meshgrid(*[[0, 1]] * 3), -1).reshape(-1, 3)
    loss = training.CRFLoss(reduction=None)
    each = [np.sum(loss(path[None], log_probabilities)) for path in paths]
    assert np.exp(-np.array(each)).sum() == pytest.approx(1, abs=1e-5)


def test_a_forbidden_transition_costs_much_and_is_not_taken():
    log_probabilities = np.array(layers.CRF(3)(X))
    log_probabilities[:, 1:, 0, 1] = -np.inf
    loss = training.CRFLoss()
    assert 1e8 < float(loss(LABELS, log_probabilities)) < np.inf
    weights = np.ones(LABELS.shape)
    weights[0, 1] = 0
    assert float(loss(LABELS, log_probabilities, weights)) < 1e3


@pytest.mark.parametrize("kind", [training.CRFLoss, training.CRFAccuracy])
def test_shapes_that_do_not_match(kind):
    with pytest.raises(ValueError, match=r"y_pred.shape=\(2, 4, 3\)|y_true.shape"):
        kind()(LABELS[..., None], np.zeros((2, 4, 3, 3)))
