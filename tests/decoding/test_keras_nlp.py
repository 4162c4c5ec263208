"""The samplers of keras-nlp, where they mean the same, choose the same.

They do not where top-p follows top-k: there keras-nlp counts the probability of all
tokens, kerasseq, as most others do, that of the k.
"""

import keras_nlp
import numpy as np
import pytest
from keras import ops

from kerasseq import decoding

# Token 0 pads, and neither it nor the end, 3, ever comes.
VOCABULARY, LENGTH, NEVER = 9, 8, -1e9
# By position too, or hypotheses that go in circles would be equally probable.
LOGITS = np.random.default_rng(0).normal(size=(LENGTH, VOCABULARY, VOCABULARY)) * 1.5
LOGITS[:, :, [0, 3]] = NEVER
LOGITS = LOGITS.astype("float32")
FIRST = np.array([4, 7, 2], "int32")


def step(tokens, states):
    (position,) = states
    return logits_at(position[0], tokens), None, [position + 1]


def logits_at(position, tokens):
    return ops.take(ops.take(LOGITS, position, axis=0), tokens, axis=0)


def start(rows):
    return [np.zeros(rows, "int32")]


def by_keras_nlp(sampler, first=FIRST):
    """Tokens after the first one, `(..., LENGTH)`."""

    def following(prompt, cache, index):
        last = ops.take(prompt, index - 1, axis=1)
        return logits_at(index - 1, last), None, cache

    prompt = np.zeros((len(first), LENGTH + 1), "int32")
    prompt[:, 0] = first
    return sampler(following, ops.convert_to_tensor(prompt), index=1)


def test_greedy():
    expected = by_keras_nlp(keras_nlp.samplers.GreedySampler())
    found = decoding.greedy_search(step, FIRST, start(3), LENGTH)["tokens"]
    np.testing.assert_array_equal(found, np.asarray(expected)[:, 1:])


@pytest.mark.parametrize("beam_size", [2, 4])
def test_all_hypotheses_of_a_beam(beam_size):
    sampler = keras_nlp.samplers.BeamSampler(beam_size, return_all_beams=True)
    tokens, scores = by_keras_nlp(sampler)
    result = decoding.beam_search(
        step,
        decoding.repeat_rows(FIRST, beam_size),
        start(3 * beam_size),
        LENGTH,
        beam_size,
        length_penalty=0.0,
    )
    np.testing.assert_array_equal(result["tokens"], np.asarray(tokens)[:, :, 1:])
    np.testing.assert_allclose(result["scores"], scores, rtol=1e-5)


@pytest.mark.parametrize(
    "sampler, options",
    [
        (keras_nlp.samplers.RandomSampler, {}),
        (keras_nlp.samplers.RandomSampler, {"temperature": 0.5}),
        (keras_nlp.samplers.TopKSampler, {"top_k": 3}),
        (keras_nlp.samplers.TopPSampler, {"top_p": 0.6}),
    ],
)
def test_sampling_has_the_same_distribution(sampler, options):
    """Of the first token drawn, from which the others follow in the same way."""
    count = 4000
    first = np.full(count, 4, "int32")
    names = {"top_k": "k", "top_p": "p"}
    theirs = {names.get(name, name): value for name, value in options.items()}
    expected = np.asarray(by_keras_nlp(sampler(seed=1, **theirs), first))[:, 1]
    found = decoding.sample(
        step,
        first[:, None],
        start(count),
        2,
        ops.arange(count, dtype="int32"),
        **options,
    )
    rates = [
        np.bincount(drawn, minlength=VOCABULARY) / count
        for drawn in (expected, np.asarray(found["tokens"])[:, 1])
    ]
    # Five standard deviations of the difference between two such rates.
    np.testing.assert_allclose(*rates, atol=5 * 0.5 * np.sqrt(2 / count))
    np.testing.assert_array_equal(rates[0] > 0.002, rates[1] > 0.002)
