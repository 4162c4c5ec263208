import numpy as np
import pytest

from kerasseq import data

SENTENCES = [
    (["The", "bat", "flew"], ["O", "ANIMAL", "O"]),
    (["1995", "bats"], ["O", "ANIMAL"]),
    (["a", "b", "c", "d", "e", "f"], ["O"] * 6),
]
FEATURES = data.WordFeatures.train(SENTENCES, word_length=4)


def test_sentences_are_padded_on_the_right():
    batches = data.TaggedBatches(SENTENCES, FEATURES, 2, lengths=[3, 7], shuffle=False)
    assert len(batches) == 2 and batches.num_dropped == 0
    assert batches.shapes == [(2, 3), (2, 7)]
    inputs, tags, weights = batches[0]
    assert {name: x.shape for name, x in inputs.items()} == {
        "words": (2, 3),
        "characters": (2, 3, 4),
        "suffixes": (2, 3),
    }
    np.testing.assert_array_equal(weights, [[1, 1, 1], [1, 1, 0]])
    np.testing.assert_array_equal(tags, [[1, 0, 1], [1, 0, 0]])
    assert np.all((inputs["words"] > 0) == (weights > 0))
    (inputs, _, weights) = batches[1]
    assert weights[1].sum() == 0 and inputs["words"][1, 0] > 0  # fills up
    assert batches.tokens_in_batch(1) == 6


def test_long_sentences_are_counted_and_lengths_chosen():
    batches = data.TaggedBatches(SENTENCES, FEATURES, 1, lengths=[3])
    assert batches.num_dropped == 1 and len(batches) == 2
    assert data.TaggedBatches(SENTENCES, FEATURES, 1).lengths == [4, 6]


def test_an_epoch_is_a_function_of_its_number():
    options = {"lengths": [7], "word_dropout": 0.5, "seed": 1}
    rows = SENTENCES * 6
    one, other = (data.TaggedBatches(rows, FEATURES, 4, **options) for _ in range(2))
    other.epoch = 1
    first = [x[0]["words"] for x in one]
    second = [x[0]["words"] for x in other]
    assert not all(map(np.array_equal, first, second))
    other.epoch = 0
    for x, y in zip(first, other, strict=True):
        np.testing.assert_array_equal(x, y[0]["words"])


def test_word_dropout_takes_words_for_unknown():
    options = {"lengths": [7], "word_dropout": 0.3}
    batches = data.TaggedBatches(SENTENCES * 100, FEATURES, 300, **options)
    inputs, _, weights = batches[0]
    words = inputs["words"][weights > 0]
    assert 0.25 < np.mean(words == 1) < 0.35
    assert np.all(inputs["words"][weights == 0] == 0)
    assert not np.any(inputs["characters"][weights > 0][:, 0] == 1)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"lengths": [2, 2]}, "growing"),
        ({"lengths": [1]}, "the shortest sentence has 2 words"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"word_dropout": 1.0}, "word_dropout=1.0"),
        ({"sentences": []}, "0 sentences"),
        ({"sentences": [([], [])]}, "1 without words"),
    ],
)
def test_errors(options, message):
    options = {"sentences": SENTENCES, "batch_size": 2} | options
    with pytest.raises(ValueError, match=message):
        data.TaggedBatches(features=FEATURES, **options)
