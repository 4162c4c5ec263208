"""What the contract tests do not show: states, dropout, errors."""

import keras
import numpy as np
import pytest

from kerasseq import layers

RNG = np.random.default_rng(0)
TARGET = RNG.normal(size=(2, 4, 3)).astype("float32")
MEMORY = RNG.normal(size=(2, 5, 6)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], bool)


@pytest.mark.parametrize("attention", ["additive", "dot", "general"])
@pytest.mark.parametrize("cell", layers.CELLS)
def test_steps_equal_the_whole(cell, attention):
    decoder = layers.AttentionDecoder(
        6, num_layers=2, cell=cell, attention=attention, return_attention=True
    )
    outputs, weights = decoder(TARGET, MEMORY, memory_mask=MASK)
    context, states = decoder.start(MEMORY, memory_mask=MASK)
    for t in range(TARGET.shape[1]):
        output, attended, states = decoder.step(
            decoder.project(TARGET[:, t]), states, context
        )
        np.testing.assert_allclose(output, outputs[:, t], atol=1e-5)
        np.testing.assert_allclose(attended, weights[:, t], atol=1e-5)
    assert [x.shape[1:] for x in states] == decoder.state_size


def test_scores_without_a_scale_are_those_of_luong():
    scaled, plain = (
        layers.AttentionDecoder(16, attention="general", scale_scores=scale)
        for scale in (True, False)
    )
    expected = scaled(TARGET, MEMORY)
    plain(TARGET, MEMORY)
    weights = {w.path.partition("/")[2]: w.numpy() for w in scaled.weights}
    weights["attention/key/kernel"] /= 4
    for w in plain.weights:
        w.assign(weights[w.path.partition("/")[2]])
    np.testing.assert_allclose(plain(TARGET, MEMORY), expected, atol=1e-6)


def test_attention_sums_to_one_and_leaves_padding_out():
    decoder = layers.AttentionDecoder(6, return_attention=True)
    outputs, weights = decoder(TARGET, MEMORY, memory_mask=MASK)
    assert outputs.shape == (2, 4, 6)
    np.testing.assert_allclose(np.sum(weights, -1), 1, rtol=1e-5)
    np.testing.assert_array_equal(np.asarray(weights)[1, :, 2:], 0)


def test_mask_comes_with_the_memory():
    ids = np.array([[3, 4, 5, 2, 1], [3, 4, 0, 0, 0]])
    embedding = keras.layers.Embedding(6, 6, mask_zero=True)
    decoder = layers.AttentionDecoder(6)
    found = decoder(TARGET, embedding(ids))
    expected = decoder(
        TARGET, np.asarray(embedding(ids)), memory_mask=np.array(ids != 0)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_padding_of_the_target_does_not_reach_earlier_outputs():
    decoder = layers.AttentionDecoder(6)
    changed = TARGET.copy()
    changed[:, 2:] = 9
    outputs, others = decoder(TARGET, MEMORY), decoder(changed, MEMORY)
    np.testing.assert_array_equal(outputs[:, :2], others[:, :2])


def test_dropout_acts_in_training_only():
    decoder = layers.AttentionDecoder(6, num_layers=2, dropout=0.5, seed=1)
    inference = np.asarray(decoder(TARGET, MEMORY))
    trained = np.asarray(decoder(TARGET, MEMORY, training=True))
    assert np.mean(trained == 0) > 0.2
    assert not np.any(inference == 0)


def test_bad_arguments():
    for options, message in [
        ({"cell": "rnn"}, "`cell` must be one of"),
        ({"attention": "bahdanau"}, "`attention` must be one of"),
        ({"num_layers": 0}, "positive integers"),
        ({"dropout": 1.0}, r"`dropout` must be in \[0, 1\)"),
        ({"recurrent_dropout": 0.1}, "no dropout of their own"),
        ({"unit": 3}, "Unrecognized keyword .*'unit'"),
    ]:
        with pytest.raises(ValueError, match=message):
            layers.AttentionDecoder(4, **options)
    with pytest.raises(ValueError, match="needs a memory as wide"):
        layers.AttentionDecoder(4, attention="dot")(TARGET, MEMORY)
    with pytest.raises(ValueError, match="takes 2 initial states. Received: 1"):
        layers.AttentionDecoder(4)(TARGET, MEMORY, initial_state=[np.zeros((2, 4))])
