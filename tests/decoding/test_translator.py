import numpy as np
import pytest

from kerasseq import decoding, models

SOURCE = np.array([[5, 6, 7, 3, 0], [8, 3, 0, 0, 0], [9, 10, 4, 5, 3]], "int32")
LENGTH = 6


@pytest.fixture(scope="module")
def model():
    model = models.seq2seq(11, embedding_dim=8, units=8, cell="gru", seed=0)
    generator = np.random.default_rng(0)
    for weight in model.weights:  # far from ties
        weight.assign(generator.normal(0, 1.0, weight.shape))
    return model


@pytest.mark.parametrize("beam_size", [None, 3])
def test_under_xla_as_eagerly(model, beam_size):
    translator = decoding.Translator(model, LENGTH, beam_size, return_attention=True)
    eager = translator(SOURCE)
    compiled = translator.predict(SOURCE, verbose=0)
    np.testing.assert_array_equal(compiled["tokens"], eager["tokens"])
    for name in ("scores", "attention"):
        np.testing.assert_allclose(compiled[name], eager[name], atol=1e-4)
    assert compiled["attention"].shape[-2:] == (LENGTH, SOURCE.shape[1])


def test_scores_are_those_of_teacher_forcing(model):
    result = decoding.Translator(model, LENGTH, 3, length_penalty=0).predict(
        SOURCE, verbose=0
    )
    best = zip(SOURCE, result["tokens"][:, 0], result["scores"][:, 0], strict=True)
    for row, tokens, score in best:
        target = np.array([[2, *tokens[:-1]]], "int32")
        logits = np.asarray(model({"source": row[None], "target": target}))[0]
        log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        ended = np.cumsum(tokens == 3) - (tokens == 3) > 0
        total = np.where(ended, 0, log_probs[np.arange(LENGTH), tokens]).sum()
        np.testing.assert_allclose(score, total, rtol=1e-4)


def test_signatures_do_what_the_translator_does(model):
    table = decoding.translation_signatures(model, 5, LENGTH, beam_size=3)
    assert list(table) == ["encode", "step", "greedy", "beam"]
    for name, beam_size in (("greedy", None), ("beam", 3)):
        function, specs = table[name]
        assert specs == {"source": ((1, 5), "int32")}
        expected = decoding.Translator(model, LENGTH, beam_size)(SOURCE[:1])
        found = function(source=SOURCE[:1])
        np.testing.assert_array_equal(found["tokens"], expected["tokens"])


def test_a_host_can_search_with_encode_and_step(model):
    table = decoding.translation_signatures(model, 5, LENGTH)
    tensors = table["encode"][0](source=SOURCE[:1])
    step, specs = table["step"]
    assert specs["token"] == ((1,), "int32")
    token, tokens = 2, []
    for _ in range(LENGTH):
        outputs = step(token=np.array([token], "int32"), **tensors)
        tensors |= {k: v for k, v in outputs.items() if k.startswith("state_")}
        token = int(np.argmax(outputs["logits"]))
        tokens.append(token)
        if token == 3:
            break
    expected = np.asarray(table["greedy"][0](source=SOURCE[:1])["tokens"])[0]
    assert tokens == expected[: len(tokens)].tolist()
