import keras
import numpy as np
import pytest

from kerasseq import models

SIZES = {"embedding_dim": 6, "units": 8}
WORDS = np.array([[3, 4, 5, 6], [6, 7, 8, 9]])


def item_by_item(model, inputs, length=WORDS.shape[1]):
    """The outputs of the step model after each item."""
    step_model = models.streaming_model(model)
    names = models.state_names(step_model)
    shapes = {name: x.shape[1:] for name, x in step_model.input.items()}
    states = {name: np.zeros((2, *shapes[name]), "float32") for name in names}
    found = []
    for place in range(length):
        items = {
            name: x[:, place : place + shapes[name][0]] for name, x in inputs.items()
        }
        outputs = step_model.predict(items | states, verbose=0)
        states = {name: outputs[name] for name in names}
        found.append(outputs["outputs"])
    return found


@pytest.mark.parametrize("arch", ["lstm", "gru", "layer_norm_lstm"])
def test_a_tagger_gives_what_the_whole_sentence_gives(arch):
    characters = np.random.default_rng(0).integers(1, 9, (*WORDS.shape, 5))
    inputs = {"words": WORDS, "characters": characters}
    model = models.tagger(20, 3, num_characters=9, arch=arch, num_layers=2, **SIZES)
    expected = model.predict(inputs, verbose=0)
    found = np.concatenate(item_by_item(model, inputs), axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_classifier_gives_what_the_text_so_far_gives():
    model = models.text_classifier(20, 3, arch="gru", pooling="last", **SIZES)
    found = item_by_item(model, {"tokens": WORDS})
    for place, row in enumerate(found, 1):
        expected = model.predict(WORDS[:, :place], verbose=0)
        np.testing.assert_allclose(row, expected, atol=1e-5)


@pytest.mark.parametrize("options", [{"num_quantiles": 3, "num_targets": 2}, {}])
@pytest.mark.parametrize("calendar", [0, 4])
@pytest.mark.parametrize("arch", ["gru", "lstm", "seq2seq"])
def test_a_forecaster_gives_what_the_history_gives(arch, calendar, options):
    generator = np.random.default_rng(0)
    inputs = {"history": generator.normal(size=(2, 5, 3)).astype("float32")}
    if calendar:
        inputs["calendar"] = generator.normal(size=(2, 5 + 4, calendar))
    model = models.forecaster(
        5, 4, 3, arch, num_calendar=calendar, units=8, num_layers=2, **options
    )
    found = item_by_item(model, inputs, length=5)[-1]
    np.testing.assert_allclose(found, model.predict(inputs, verbose=0), atol=1e-5)


def test_the_model_is_as_before(tmp_path):
    model = models.text_classifier(20, 3, arch="gru", pooling="last", **SIZES)
    models.streaming_model(model).save(tmp_path / "step.keras")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(WORDS), model(WORDS))


@pytest.mark.parametrize(
    "model",
    [
        lambda: models.tagger(20, 3, arch="bigru", **SIZES),
        lambda: models.tagger(20, 3, arch="cnn", **SIZES),
        lambda: models.tagger(20, 3, arch="gru", crf=True, **SIZES),
        lambda: models.text_classifier(20, 3, arch="gru", pooling="max", **SIZES),
        lambda: models.text_classifier(20, 3, arch="gru", pooling="mean", **SIZES),
        lambda: models.forecaster(5, 4, 3, "bigru"),
        lambda: models.forecaster(5, 4, 3, "dlinear"),
        lambda: models.forecaster(5, 4, 3, "gru", instance_normalization="last"),
        lambda: models.forecaster(5, 4, 3, "gru", instance_normalization="standard"),
        lambda: models.seq2seq(20, embedding_dim=8, units=8),
    ],
)
def test_what_needs_the_whole_sequence(model):
    model = model()
    assert not models.is_streamable(model)
    with pytest.raises(ValueError, match="goes item by item"):
        models.streaming_model(model)
