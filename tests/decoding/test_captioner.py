import numpy as np
import pytest

from kerasseq import decoding, models

IMAGES = np.random.default_rng(1).integers(0, 256, (3, 8, 12, 3)).astype("uint8")
IMAGES[1] //= 8  # a dark one, and one that is half white
IMAGES[2, :, 6:] = 255
LENGTH = 6


@pytest.fixture(scope="module")
def model():
    options = {"include_rescaling": True, "seed": 0, "cell": "gru"}
    model = models.captioner(
        (8, 12, 3),
        11,
        embedding_dim=8,
        units=8,
        encoder_options={"widths": (4,)},
        **options,
    )
    generator = np.random.default_rng(2)
    for weight in model.trainable_weights:  # far from ties, each image another caption
        weight.assign(generator.normal(0, 1.0, weight.shape))
    return model


@pytest.mark.parametrize("beam_size", [None, 3])
def test_under_xla_as_eagerly(model, beam_size):
    captioner = decoding.Captioner(model, LENGTH, beam_size, return_attention=True)
    eager = captioner(IMAGES)
    compiled = captioner.predict(IMAGES, verbose=0)
    if beam_size:  # with these weights the second and the third may tie
        eager, compiled = (
            {k: x[:, 0] for k, x in y.items()} for y in (eager, compiled)
        )
    np.testing.assert_array_equal(compiled["tokens"], eager["tokens"])
    for name in ("scores", "attention"):
        np.testing.assert_allclose(compiled[name], eager[name], atol=1e-4)
    rows, columns = models.captioner_grid(model)
    assert compiled["attention"].shape[-2:] == (LENGTH, rows * columns)
    assert len({tuple(row.ravel()) for row in compiled["tokens"]}) == 3


def test_scores_are_those_of_teacher_forcing(model):
    result = decoding.Captioner(model, LENGTH, 3, length_penalty=0)(IMAGES)
    tokens = np.asarray(result["tokens"])[:, 0]
    target = np.concatenate([np.full((3, 1), 2), tokens[:, :-1]], axis=1)
    logits = np.asarray(model({"image": IMAGES.astype("float32"), "target": target}))
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    chosen = np.take_along_axis(log_probs, tokens[..., None], axis=-1)[..., 0]
    ended = np.cumsum(tokens == 3, axis=1) - (tokens == 3) > 0
    expected = np.where(ended, 0, chosen).sum(axis=1)
    np.testing.assert_allclose(result["scores"][:, 0], expected, rtol=1e-4)


def test_signatures_do_what_the_captioner_does(model):
    table = decoding.caption_signatures(model, LENGTH, beam_size=3, prefix_length=2)
    assert list(table) == ["encode", "step", "greedy", "beam"]
    for name, beam_size in (("greedy", None), ("beam", 3)):
        function, specs = table[name]
        assert specs["image"] == ((1, 8, 12, 3), "uint8")
        prefix = np.array([[5, -1]], "int32")
        expected = decoding.Captioner(model, LENGTH, beam_size)(
            {"image": IMAGES[:1], "prefix": prefix}
        )
        found = function(image=IMAGES[:1], prefix=prefix)
        np.testing.assert_array_equal(found["tokens"], expected["tokens"])
        assert np.ravel(found["tokens"])[0] == 5


def test_a_host_can_search_with_encode_and_step(model):
    table = decoding.caption_signatures(model, LENGTH)
    tensors = table["encode"][0](image=IMAGES[:1])
    step, specs = table["step"]
    assert specs["token"] == ((1,), "int32")
    token, tokens = 2, []
    while token != 3 and len(tokens) < LENGTH:
        outputs = step(token=np.array([token], "int32"), **tensors)
        tensors |= {k: v for k, v in outputs.items() if k.startswith("state_")}
        token = int(np.argmax(outputs["logits"]))
        tokens.append(token)
    expected = np.asarray(table["greedy"][0](image=IMAGES[:1])["tokens"])[0]
    assert tokens == expected[: len(tokens)].tolist()


def test_another_model_is_refused():
    translator = models.seq2seq(11, embedding_dim=4, units=4)
    with pytest.raises(ValueError, match="models.captioner"):
        decoding.Captioner(translator, LENGTH)(IMAGES)
