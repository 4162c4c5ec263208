import keras
import numpy as np
import pytest

from kerasseq import layers, models

WORDS = np.array([[3, 4, 5, 0], [6, 7, 8, 9]])
CHARACTERS = np.random.default_rng(0).integers(1, 9, (2, 4, 5))
SIZES = {"embedding_dim": 6, "units": 8}


def test_what_it_sees_of_a_word():
    model = models.tagger(20, 3, **SIZES)
    assert [*model.input] == ["words"] and model.output_shape == (None, None, 3)
    model = models.tagger(20, 3, num_characters=9, num_suffixes=7, **SIZES)
    assert {*model.input} == {"words", "characters", "suffixes"}
    inputs = {"words": WORDS, "characters": CHARACTERS, "suffixes": WORDS % 7}
    assert model.predict(inputs, verbose=0).shape == (2, 4, 3)


@pytest.mark.parametrize("arch", ["mlp", "gru", "bilstm", "cnn", "transformer"])
@pytest.mark.parametrize("crf", [False, True])
def test_padding_changes_nothing(arch, crf):
    model = models.tagger(20, 3, num_characters=9, arch=arch, crf=crf, **SIZES)
    short = {"words": WORDS[:1, :3], "characters": CHARACTERS[:1, :3]}
    padded = {"words": np.pad(WORDS[:1], [(0, 0), (0, 5)])}
    padded["characters"] = np.pad(CHARACTERS[:1], [(0, 0), (0, 5), (0, 4)])
    found = model.predict(padded, verbose=0)[:, :3]
    expected = model.predict(short, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_only_an_encoder_sees_the_neighbors():
    other = WORDS.copy()
    other[1, 3] = 10
    for arch, sees in (("mlp", False), ("gru", False), ("bigru", True), ("cnn", True)):
        model = models.tagger(20, 3, arch=arch, **SIZES)
        first, second = (
            model.predict({"words": x}, verbose=0)[1, 2] for x in (WORDS, other)
        )
        assert np.array_equal(first, second) != sees, arch


def test_the_seed_and_the_head():
    first, second = (models.tagger(20, 3, seed=4, **SIZES) for _ in range(2))
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    crf = models.tagger(20, 3, crf=True, **SIZES)
    assert isinstance(crf.get_layer("head"), layers.CRF)
    assert isinstance(first.get_layer("head"), keras.layers.Dense)
    assert "gru" in models.encoder_kinds() and "bilstm" in models.encoder_kinds()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"arch": "rnn"}, "arch='rnn'"),
        ({"num_tags": 0}, "num_tags=0"),
        ({"units": 0}, "units=0"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"arch": "transformer", "num_heads": 3}, "divide `units`.*num_heads=3"),
    ],
)
def test_errors(options, message):
    options = {"vocabulary_size": 20, "num_tags": 3} | SIZES | options
    with pytest.raises(ValueError, match=message):
        models.tagger(**options)
