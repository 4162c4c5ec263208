import keras
import numpy as np
import pytest
import reference
from keras import ops

from kerasseq import data, layers, models, training

VOCABULARY, EMBEDDING, UNITS = 11, 4, 6
TOKENS = np.random.default_rng(0).integers(0, VOCABULARY, (2, 10)).astype("int32")


def stack(cell="lstm", **options):
    outputs = {"return_sequences": True, "return_state": True}
    return layers.StackedRNN(UNITS, 2, cell, name="body", **outputs | options)


def build(body=None, **options):
    return models.language_model(
        VOCABULARY, body or stack(), embedding_dim=EMBEDDING, seed=0, **options
    )


def random_states(model):
    generator = np.random.default_rng(1)
    return {
        name: generator.normal(size=(2, UNITS)).astype("float32")
        for name in models.state_names(model)
    }


def numbers(outputs):
    return {name: ops.convert_to_numpy(value) for name, value in outputs.items()}


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn", "peephole_lstm"])
@pytest.mark.parametrize("lengths", [[2] * 5, [1] * 10, [7, 3]])
def test_chunks_equal_the_whole(cell, lengths):
    model = build(stack(cell))
    states = random_states(model)
    assert len(states) == 2 * (1 + ("lstm" in cell))
    expected = numbers(model({"tokens": TOKENS} | states))
    assert expected["logits"].shape == (2, 10, VOCABULARY)
    logits = []
    for chunk in np.split(TOKENS, np.cumsum(lengths)[:-1], axis=1):
        outputs = numbers(model({"tokens": chunk} | states))
        logits.append(outputs.pop("logits"))
        states = outputs
    np.testing.assert_allclose(
        np.concatenate(logits, 1), expected.pop("logits"), atol=1e-6
    )
    for name, state in expected.items():
        np.testing.assert_allclose(states[name], state, atol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_equals_numpy(cell, residual, tied):
    model = build(stack(cell, residual=residual), tie_embeddings=tied)
    generator = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(generator.normal(0, 0.3, weight.shape))
    states = random_states(model)
    found = numbers(model({"tokens": TOKENS} | states))
    expected, final = reference.language_model(
        TOKENS,
        list(states.values()),
        [w.astype("float64") for w in model.get_weights()],
        cell=cell,
        num_layers=2,
        residual=residual,
        tied=tied,
    )
    np.testing.assert_allclose(found["logits"], expected, atol=1e-5)
    for index, state in enumerate(final):
        np.testing.assert_allclose(found[f"state_{index}"], state, atol=1e-5)


def test_tied_embeddings_are_one_table():
    def tables(model):
        return sorted(tuple(w.shape) for w in model.weights if VOCABULARY in w.shape)

    assert tables(build()) == [(VOCABULARY, EMBEDDING)]
    untied = build(tie_embeddings=False)
    assert tables(untied) == [(UNITS, VOCABULARY), (VOCABULARY,), (VOCABULARY, 4)]
    names = [layer.name for layer in build().layers]
    assert "projection" in names
    square = models.language_model(VOCABULARY, stack(), embedding_dim=UNITS)
    assert "projection" not in [layer.name for layer in square.layers]


def test_variational_dropout_is_one_mask_for_all_steps():
    model = models.language_model(
        3, stack(), embedding_dim=64, dropout=0.5, variational=True, seed=0
    )
    x = np.ones((1, 7, 64), "float32")
    dropped = model.get_layer("embedding_dropout")(x, training=True)
    dropped = ops.convert_to_numpy(dropped)[0]
    assert (dropped == dropped[0]).all() and 0 < np.mean(dropped == 0) < 1


@pytest.mark.parametrize("options", [{}, {"residual": True, "variational": True}])
def test_trains_under_xla_with_carried_state(options):
    model = build(stack(dropout=0.2, **options), dropout=0.2)
    trainer = training.TruncatedBPTT(model, batch_size=2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trainer.compile(keras.optimizers.Adam(0.03), loss, jit_compile=True)
    batches = data.ContiguousBatches(np.arange(80) % 5, 2, length=8)
    history = trainer.fit(batches, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


def test_seed_makes_equal_weights():
    for a, b in zip(build().weights, build().weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))


def test_a_body_with_weights_is_taken_as_it_is():
    body = stack()
    body.build((None, None, EMBEDDING))
    model = models.language_model(VOCABULARY, body, embedding_dim=EMBEDDING)
    assert model.get_layer("body") is body


def test_body_by_default():
    model = models.language_model(VOCABULARY)
    assert models.state_names(model) == [f"state_{index}" for index in range(4)]
    assert model.get_layer("body").units == 256


def test_bad_arguments():
    with pytest.raises(ValueError, match="Sizes must be positive"):
        models.language_model(VOCABULARY, embedding_dim=0)


@pytest.mark.parametrize(
    "body, message",
    [
        (keras.layers.Dense(3), "whose states go in and come out.*Dense"),
        (layers.AttentionDecoder(4), "whose states go in and come out.*AttentionDec"),
        (layers.StackedRNN(3), "return_sequences=True, return_state=True"),
        (stack(bidirectional=True), "needs bidirectional=False"),
        (
            layers.LSTM(3, return_sequences=True, return_state=True),
            "whose states go in and come out.*LSTM",
        ),
    ],
)
def test_a_body_without_the_protocol_is_refused(body, message):
    with pytest.raises(ValueError, match=message):
        build(body)


def test_tied_logits_have_the_scale_of_what_comes_before():
    """A narrower table, as Keras makes it, keeps an LSTM from learning at first."""
    model = models.language_model(500, embedding_dim=100, seed=0)
    (table,) = model.get_layer("embedding").get_weights()
    assert np.std(table) == pytest.approx(0.1, rel=0.02)
