import keras
import numpy as np
import pytest

from kerasseq import models, training

SHAPE = (16, 24, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (2, *SHAPE)).astype("uint8")
TARGET = np.array([[2, 5, 6], [2, 7, 0]], "int32")
ENCODERS = {
    "cnn": {"widths": (4, 6)},
    "vit": {"patch_size": 4, "hidden_dim": 8, "num_layers": 1, "mlp_dim": 8},
}


def build(encoder="cnn", **options):
    sizes = {"embedding_dim": 4, "units": 8, "include_rescaling": True, "seed": 0}
    return models.captioner(
        SHAPE,
        11,
        encoder=encoder,
        encoder_options=ENCODERS.get(encoder),
        **sizes | options,
    )


def logits_of(model, images=IMAGES):
    return np.asarray(model({"image": images.astype("float32"), "target": TARGET}))


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "peephole_lstm"])
def test_logits_equal_the_exported_step(encoder, cell):
    model = build(encoder, cell=cell, num_layers=2)
    logits = logits_of(model)
    assert logits.shape == (2, 3, 11)
    context, states = models.captioner_encode(model, IMAGES)
    rows, columns = models.captioner_grid(model)
    for t in range(TARGET.shape[1]):
        found, attention, states = models.seq2seq_step(
            model, TARGET[:, t], states, context
        )
        np.testing.assert_allclose(found, logits[:, t], atol=1e-5)
        assert attention.shape == (2, rows * columns)


def test_the_grid_is_that_of_the_encoder():
    assert models.captioner_grid(build("cnn")) == (8, 12)
    assert models.captioner_grid(build("vit")) == (4, 6)


def test_the_place_of_a_thing_counts():
    """Of a convolution alone the mean would be nearly the same."""
    model = build()
    moved = np.roll(IMAGES, 8, axis=1)
    memory = [models.captioner_encode(model, x)[0]["memory"] for x in (IMAGES, moved)]
    shifted = np.reshape(memory[1], (2, 8, 12, 8))
    shifted = np.roll(shifted, -4, axis=1).reshape(2, 96, 8)
    assert np.abs(shifted - np.asarray(memory[0])).max() > 0.5


def test_the_decoder_starts_from_the_mean_of_the_places():
    model = build(cell="gru", input_feeding=False)
    context, (state,) = models.captioner_encode(model, IMAGES)
    kernel, bias = model.get_layer("encoder").get_layer("state_0").get_weights()
    expected = np.tanh(np.mean(context["memory"], axis=1) @ kernel + bias)
    np.testing.assert_allclose(state, expected, atol=1e-6)


def test_one_table_or_two():
    def tables(model):
        return sorted(tuple(w.shape) for w in model.weights if 11 in w.shape)

    assert tables(build()) == [(11, 4)]
    assert tables(build(tie_embeddings=False)) == [(4, 11), (11, 4)]


def test_seed_makes_equal_weights():
    for a, b in zip(build().get_weights(), build().get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "attention",
    [
        "general",
        *(pytest.param(x, marks=pytest.mark.slow) for x in ("additive", "dot")),
    ],
)
def test_trains_under_xla(attention):
    model = build(attention=attention, cell="gru", dropout=0.1)
    adam = keras.optimizers.Adam(0.03)
    model.compile(adam, training.SmoothedCrossEntropy(), jit_compile=True)
    inputs = {"image": IMAGES, "target": TARGET}
    losses = [float(model.train_on_batch(inputs, TARGET)) for _ in range(5)]
    assert losses[-1] < losses[0]


def test_bad_arguments():
    for options, message in [
        ({"encoder": "rnn"}, "`encoder` must be one of .*encoder='rnn'"),
        ({"cell": "rnn"}, "`cell` must be one of"),
        ({"attention": "none"}, "`attention` must be one of"),
        ({"units": 6}, "`units` a multiple of 4.*units=6"),
        ({"num_layers": 0}, "Sizes must be positive"),
    ]:
        with pytest.raises(ValueError, match=message):
            build(**options)
    with pytest.raises(ValueError, match="`patch_size` must divide"):
        models.captioner(SHAPE, 11, encoder="vit", encoder_options={"patch_size": 5})


def test_another_model_is_refused():
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)], name="other")
    translator = models.seq2seq(11, embedding_dim=4, units=4)
    for model, name in ((other, "other"), (translator, "seq2seq")):
        with pytest.raises(ValueError, match=f"models.captioner. Received: '{name}'"):
            models.captioner_encode(model, IMAGES)
