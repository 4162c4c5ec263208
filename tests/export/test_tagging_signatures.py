"""The signatures of a tagger, as functions; files are the recipe's tests'."""

import keras
import numpy as np
import pytest

from kerasseq import export, layers, models

SIZES = {"embedding_dim": 6, "units": 8}


def made(**options):
    model = models.tagger(20, 3, num_characters=9, **SIZES, **options)
    return model, export.tagging_signatures(length=5, word_length=4)(model)


def test_names_and_shapes():
    _, found = made(arch="gru", num_layers=2)
    assert found.keys() == {"tag", "step"}
    assert found["tag"][1] == {
        "words": ((1, 5), "int32"),
        "characters": ((1, 5, 4), "int32"),
    }
    specs = found["step"][1]
    assert specs["words"] == ((1, 1), "int32") and specs["state_1"][0] == (1, 8)
    assert made(arch="bilstm")[1].keys() == made(arch="gru", crf=True)[1].keys()


@pytest.mark.parametrize("crf", [False, True])
def test_tags_and_scores(crf):
    model, found = made(arch="bigru", crf=crf)
    words = np.array([[3, 4, 99, 0, 0]], "int32")  # 99 counts as unknown
    inputs = {"words": words, "characters": np.ones((1, 5, 4), "int32")}
    outputs = found["tag"][0](**inputs)
    known = inputs | {"words": np.where(words == 99, 1, words)}
    again = found["tag"][0](**known)
    np.testing.assert_array_equal(outputs["tags"], again["tags"])
    assert outputs["tags"].shape == outputs["scores"].shape == (1, 5)
    scores = np.array(outputs["scores"])
    assert (0 < scores).all() and (scores <= 1).all()
    if not crf:
        expected = np.array(model(known)).argmax(-1)
        np.testing.assert_array_equal(outputs["tags"], expected)


def test_bad_lengths():
    with pytest.raises(ValueError, match="length=0"):
        export.tagging_signatures(0)


def test_a_model_of_another_kind():
    words = keras.Input((5,), dtype="int32", name="words")
    x = keras.layers.Embedding(9, 4, mask_zero=True)(words)
    model = keras.Model(words, layers.CRF(3)(x))
    with pytest.raises(ValueError, match="for a `kerasseq.models.tagger`"):
        export.tagging_signatures(5)(model)
