import itertools

import keras
import numpy as np
import pytest

from kerasseq import ops

BATCH, LENGTH, LABELS = 3, 5, 3
VALID = np.arange(LENGTH) < np.array([[5], [3], [1]])


def random_chain(scale=1.0):
    generator = np.random.default_rng(0)
    shapes = (BATCH, LENGTH, LABELS), (LABELS, LABELS), (LABELS,), (LABELS,)
    return [scale * generator.normal(size=s).astype("float32") for s in shapes]


def every_path(row, length, scores, transitions, start, end):
    """`(paths, log-probabilities)` of all sequences of labels, one by one."""
    paths = [*itertools.product(range(LABELS), repeat=length)]

    def score(path):
        own = sum(scores[row, t, label] for t, label in enumerate(path))
        pairs = zip(path, path[1:], strict=False)
        between = sum(transitions[pair] for pair in pairs)
        return start[path[0]] + own + between + end[path[-1]]

    found = np.array([score(path) for path in paths], "float64")
    return paths, found - np.logaddexp.reduce(found)


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_equals_the_sum_over_all_paths(scale):
    chain = random_chain(scale)
    found = np.asarray(ops.chain_log_probabilities(*chain, VALID))
    best = np.asarray(ops.best_path(found))
    for row, length in enumerate(VALID.sum(1)):
        paths, expected = every_path(row, length, *chain)
        each = [
            sum(found[row, t, path[max(t - 1, 0)], label] for t, label in pairs)
            for path in paths
            for pairs in [list(enumerate(path))]
        ]
        np.testing.assert_allclose(each, expected, rtol=1e-5, atol=1e-5 * scale)
        path = paths[np.argmax(expected)]
        assert (*best[row, :length],) == path
        assert set(best[row, length:]) <= {path[-1]}  # padding repeats it


def test_conditional_probabilities_sum_to_one():
    found = np.asarray(ops.chain_log_probabilities(*random_chain(), VALID))
    np.testing.assert_allclose(np.exp(found).sum(-1), 1, atol=1e-5)
    assert np.all(found[:, 0] == found[:, 0, :1])  # no label before the first


def test_padding_changes_nothing():
    scores, *weights = random_chain()
    short = ops.chain_log_probabilities(scores[:, :3], *weights)
    scores[:, 3:] = 1e3
    mask = np.arange(LENGTH) < np.full((BATCH, 1), 3)
    padded = ops.chain_log_probabilities(scores, *weights, mask)
    np.testing.assert_allclose(padded[:, :3], short, atol=1e-5)


def test_an_exact_tie_takes_one_path():
    """Two paths of equal weight that may not be mixed."""
    alike = np.log(np.array([[[0.5, 0.5]] * 2, np.eye(2) + 1e-9, np.eye(2) + 1e-9]))
    (path,) = np.asarray(ops.best_path(alike[None].astype("float32")))
    assert len({*path}) == 1


@pytest.mark.parametrize("length", [1, 2])
def test_short_sequences(length):
    scores, *weights = random_chain()
    found = ops.chain_log_probabilities(scores[:, :length], *weights)
    assert found.shape == (BATCH, length, LABELS, LABELS)
    assert ops.best_path(found).shape == (BATCH, length)


def test_half_precision_is_summed_in_float32():
    scores, *weights = random_chain()
    low = keras.ops.cast(scores, "bfloat16")
    found = ops.chain_log_probabilities(low, *weights)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
