"""Greedy and beam search on a Markov chain small enough for the head."""

import itertools

import numpy as np
import pytest
from keras import ops

from kerasseq import decoding

END, PAD = 3, 0
# Rows: the last token; columns: probability of the next of 6 tokens.
CHAIN = np.array(
    [
        [0.00, 0.00, 0.00, 1.00, 0.00, 0.00],
        [0.00, 0.00, 0.00, 1.00, 0.00, 0.00],
        [0.00, 0.00, 0.00, 0.10, 0.50, 0.40],  # start
        [0.00, 0.00, 0.00, 1.00, 0.00, 0.00],
        [0.00, 0.20, 0.20, 0.20, 0.20, 0.20],  # the tempting one leads nowhere
        [0.00, 0.00, 0.00, 0.90, 0.05, 0.05],
    ],
    "float32",
)


def step(tokens, states):
    (count,) = states
    logits = ops.log(ops.take(CHAIN + 1e-9, tokens, axis=0))
    attention = ops.one_hot(ops.cast(count, "int32") % 2, 2)
    return logits, attention, [count + 1]


def start(rows):
    return np.full((rows,), 2, "int32"), [np.zeros((rows,), "float32")]


def best_by_enumeration(max_length, penalty):
    """All hypotheses, scored; the reference for a beam that holds them all."""
    found = []
    for length in range(1, max_length + 1):
        for tokens in itertools.product(range(6), repeat=length):
            if END in tokens[:-1] or (length < max_length and tokens[-1] != END):
                continue
            probabilities = CHAIN[[2, *tokens[:-1]], tokens]
            score = np.log(probabilities + 1e-9).sum() / ((5 + length) / 6) ** penalty
            found.append((score, [*tokens, *[PAD] * (max_length - length)]))
    return sorted(found, reverse=True)


def test_greedy_takes_the_most_probable_and_stops():
    tokens, states = start(2)
    result = decoding.greedy_search(step, tokens, states, max_length=5)
    assert np.asarray(result["tokens"])[0].tolist()[0] == 4
    expected = np.log(CHAIN[2, 4])
    assert float(result["scores"][0]) <= expected + 1e-6


def test_greedy_pads_after_the_end_and_keeps_rows_apart():
    chain_from_five = np.array([5, 2], "int32")
    _, states = start(2)
    result = decoding.greedy_search(step, chain_from_five, states, max_length=4)
    assert np.asarray(result["tokens"])[0].tolist() == [END, PAD, PAD, PAD]
    np.testing.assert_allclose(result["scores"][0], np.log(0.9), rtol=1e-4)


def test_greedy_returns_attention():
    tokens, states = start(1)
    result = decoding.greedy_search(
        step, tokens, states, max_length=3, attention_length=2
    )
    attention = np.asarray(result["attention"])
    assert attention.shape == (1, 3, 2)
    np.testing.assert_array_equal(attention[0, :2], [[1, 0], [0, 1]])


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0])
def test_a_wide_beam_finds_the_best_of_all(penalty):
    beam_size = 40
    tokens, states = start(beam_size)
    result = decoding.beam_search(
        step, tokens, states, 3, beam_size=beam_size, length_penalty=penalty
    )
    expected = best_by_enumeration(3, penalty)[:3]
    np.testing.assert_allclose(
        np.asarray(result["scores"])[0, :3], [s for s, _ in expected], rtol=1e-4
    )
    assert np.asarray(result["tokens"])[0, 0].tolist() == expected[0][1]


def test_beam_beats_greedy():
    tokens, states = start(3)
    result = decoding.beam_search(step, tokens, states, 4, beam_size=3)
    assert np.asarray(result["tokens"])[0, 0].tolist() == [5, END, PAD, PAD]


def test_finished_hypotheses_are_frozen():
    tokens, states = start(3)
    short, long = (
        decoding.beam_search(
            step, tokens, states, n, beam_size=3, attention_length=2, length_penalty=0
        )
        for n in (4, 9)
    )
    np.testing.assert_allclose(short["scores"][0, 0], long["scores"][0, 0], rtol=1e-6)
    assert np.asarray(long["tokens"])[0, 0].tolist() == [5, END, *[PAD] * 7]
    assert long["attention"].shape == (1, 3, 9, 2)


def test_beam_of_one_is_greedy():
    tokens, states = start(1)
    greedy = decoding.greedy_search(step, tokens, states, 4)
    beam = decoding.beam_search(step, tokens, states, 4, beam_size=1)
    np.testing.assert_array_equal(beam["tokens"][:, 0], greedy["tokens"])


def test_rows_of_a_batch_do_not_mix():
    first = np.repeat(np.array([2, 5], "int32"), 3)
    _, states = start(6)
    result = decoding.beam_search(step, first, states, 4, beam_size=3)
    alone = decoding.beam_search(step, first[3:], [states[0][3:]], 4, beam_size=3)
    np.testing.assert_array_equal(result["tokens"][1], alone["tokens"][0])


def test_repeat_rows():
    found = decoding.repeat_rows(ops.convert_to_tensor([[1, 2], [3, 4]]), 2)
    np.testing.assert_array_equal(found, [[1, 2], [1, 2], [3, 4], [3, 4]])


def test_bad_beam_size():
    with pytest.raises(ValueError, match="must be positive. Received: beam_size=0"):
        decoding.beam_search(step, *start(1), 4, beam_size=0)


@pytest.mark.parametrize("pad_id", [-1, 9])
def test_padding_outside_the_vocabulary(pad_id):
    tokens, states = start(6)
    searches = [
        lambda pad: decoding.greedy_search(step, tokens, states, 5, pad_id=pad),
        lambda pad: decoding.beam_search(
            step, tokens, states, 5, beam_size=3, pad_id=pad
        ),
    ]
    for search in searches:
        inside, outside = search(PAD), search(pad_id)
        np.testing.assert_array_equal(outside["scores"], inside["scores"])
        wanted = np.asarray(inside["tokens"])
        after_end = np.cumsum(wanted == END, axis=-1) - (wanted == END) > 0
        wanted = np.where(after_end, pad_id, wanted)
        np.testing.assert_array_equal(outside["tokens"], wanted)
