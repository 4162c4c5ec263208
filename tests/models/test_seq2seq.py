import keras
import numpy as np
import pytest

from kerasseq import decoding, layers, models, training

SLOW = pytest.mark.slow
SOURCE = np.array([[5, 6, 7, 3], [8, 3, 0, 0]], "int32")
TARGET = np.array([[2, 5, 6], [2, 7, 0]], "int32")


def build(**options):
    return models.seq2seq(11, embedding_dim=4, units=6, seed=0, **options)


@pytest.mark.parametrize("cell", layers.CELLS)
def test_logits_equal_the_exported_step(cell):
    model = build(cell=cell, num_layers=2)
    logits = np.asarray(model({"source": SOURCE, "target": TARGET}))
    assert logits.shape == (2, 3, 11)
    context, states = models.seq2seq_encode(model, SOURCE)
    for t in range(TARGET.shape[1]):
        found, attention, states = models.seq2seq_step(
            model, TARGET[:, t], states, context
        )
        np.testing.assert_allclose(found, logits[:, t], atol=1e-5)
        assert attention.shape == SOURCE.shape


def test_source_padding_changes_nothing():
    model = build()
    longer = np.pad(SOURCE, [(0, 0), (0, 3)])
    np.testing.assert_allclose(
        model({"source": longer, "target": TARGET}),
        model({"source": SOURCE, "target": TARGET}),
        atol=1e-6,
    )


def test_tied_embeddings_are_one_table():
    tables = [w for w in build().weights if 11 in w.shape]
    assert [tuple(w.shape) for w in tables] == [(11, 4)]
    untied = build(tie_embeddings=False, target_vocabulary_size=9)
    shapes = [tuple(w.shape) for w in untied.weights if {9, 11} & set(w.shape)]
    assert sorted(shapes) == [(4, 9), (9, 4), (11, 4)]


@pytest.mark.parametrize(
    "precision",
    [pytest.param(x, marks=SLOW) for x in ("mixed_bfloat16", "mixed_float16")],
)
def test_trains_and_searches_in_mixed_precision(precision):
    keras.config.set_dtype_policy(precision)
    try:
        model = build(num_layers=2, dropout=0.1)
        model.compile("adam", training.SmoothedCrossEntropy(), jit_compile=True)
        inputs = {"source": SOURCE, "target": TARGET}
        losses = [model.train_on_batch(inputs, TARGET) for _ in range(3)]
        result = decoding.Translator(model, 4, beam_size=2).predict(SOURCE, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(losses).all()
    assert result["scores"].dtype == "float32"
    assert np.isfinite(result["scores"]).all()


def test_embeddings_start_as_wide_as_tied_logits_need():
    """With Keras' narrow default a translator hardly learns in its first epoch."""
    model = models.seq2seq(500, embedding_dim=100, units=8, seed=0)
    (table,) = model.get_layer("embedding").get_weights()
    assert np.std(table) == pytest.approx(0.1, rel=0.02)


def test_seed_makes_equal_weights():
    for a, b in zip(build().weights, build().weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_bad_arguments():
    for options, message in [
        ({"cell": "rnn"}, "`cell` must be one of"),
        ({"attention": "none"}, "`attention` must be one of"),
        ({"num_layers": 0}, "Sizes must be positive"),
        ({"target_vocabulary_size": 9}, "Tied embeddings need one vocabulary"),
    ]:
        with pytest.raises(ValueError, match=message):
            build(**options)
    with pytest.raises(ValueError, match="`units` even"):
        models.seq2seq(11, units=7)


def test_another_model_is_refused():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)], name="other")
    with pytest.raises(ValueError, match="'other', which has no layer embedding"):
        models.seq2seq_encode(model, SOURCE)


@pytest.mark.parametrize(
    "attention",
    [pytest.param(x, marks=SLOW) for x in ("additive", "dot", "general")],
)
def test_trains_under_xla_with_a_last_batch_that_is_not_full(attention):
    model = build(attention=attention)
    model.compile("adam", training.SmoothedCrossEntropy(), jit_compile=True)
    source, target = np.repeat(SOURCE, 2, axis=0), np.repeat(TARGET, 2, axis=0)
    inputs = {"source": source, "target": target}
    history = model.fit(inputs, target, batch_size=len(source) - 1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
