import numpy as np
import pytest
from keras import ops

from kerasseq import decoding, export, layers, lite, models

PROMPT = np.array([[1, 2, 3], [4, -1, -1]], "int32")
SEEDS = np.array([3, 4], "int32")


def language_model(arch):
    if arch == "transformer":
        body = layers.WindowTransformer(1, 2, 32, window=4, activation="gelu")
    else:
        outputs = {"return_sequences": True, "return_state": True}
        body = layers.StackedRNN(8, cell=arch, **outputs)
    return models.language_model(11, body, embedding_dim=8, seed=0)


def generate(model, prompt=PROMPT, seeds=SEEDS, **options):
    generator = decoding.Generator(model, 9, **options)
    inputs = {"prompt": prompt, "seed": seeds}
    return generator.predict(inputs, verbose=0)["tokens"]


@pytest.mark.parametrize("arch", ["gru", "transformer"])
def test_file_writes_what_the_model_writes(arch, tmp_path):
    model = language_model(arch)
    options = {"top_k": 7, "no_repeat_ngram": 2, "repetition_penalty": 1.3}
    expected = generate(model, **options)
    assert expected.shape == (2, 9) and expected.min() >= 0
    np.testing.assert_array_equal(expected[0, :3], PROMPT[0])
    report = export.export_model(
        model,
        tmp_path,
        signatures=lambda twin: decoding.generation_signatures(twin, 3, 9, **options),
        samples={"generate": [{"prompt": PROMPT[:1], "seed": SEEDS[:1]}]},
    )
    file = report["artifacts"][0]
    assert file["flex_ops"] == [] and {*file["signatures"]} == {"generate", "step"}
    runner = lite.Runner(tmp_path / "model.tflite")
    for row, seed, tokens in zip(PROMPT, SEEDS, expected, strict=True):
        found = runner.run("generate", prompt=row[None], seed=seed[None])
        np.testing.assert_array_equal(found["tokens"][0], tokens)


@pytest.mark.parametrize("cell", ["lstm", "mamba", "rwkv7"])
def test_prefill_goes_on_as_steps_do(cell, tmp_path):
    model = models.language_model(11, cell=cell, embedding_dim=8, seed=0)

    def signatures(twin):
        return decoding.generation_signatures(twin, 3, 9, prefill_length=4)

    export.export_model(model, tmp_path, signatures=signatures)
    runner = lite.Runner(tmp_path / "model.tflite")
    tokens = np.random.default_rng(0).integers(0, 11, (1, 9))
    expected = runner.stateful("step")
    expected = [expected(tokens=tokens[:, [k]])["logits"] for k in range(9)]
    names, (first, second) = models.state_names(model), np.split(tokens[:, :8], 2, 1)
    states = {name: np.zeros((1, *model.input[name].shape[1:])) for name in names}
    found = []
    for name, part in (
        ("prefill", first),
        ("prefill", second),
        ("step", tokens[:, 8:]),
    ):
        states = runner.run(name, tokens=part, **states)
        found.append(states.pop("logits"))
    found, expected = np.concatenate(found, 1), np.concatenate(expected, 1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_prefill_reads_something():
    model = language_model("gru")
    with pytest.raises(ValueError, match=r"`prefill_length` .* prefill_length=0"):
        decoding.generation_signatures(model, 3, 9, prefill_length=0)


def test_nothing_is_written_for_ids_outside_the_vocabulary():
    prompt = np.array([[1, 2, 3], [1, 11, 3], [-2, 1, 3]])
    generator = decoding.Generator(language_model("gru"), 9, top_k=3)
    found = generator.predict({"prompt": prompt, "seed": np.arange(3)}, verbose=0)
    assert found["tokens"][0].min() >= 0 and np.isfinite(found["scores"][0])
    assert (found["tokens"][1:] == -1).all()
    assert (found["scores"][1:] == -np.inf).all()


def test_a_row_does_not_depend_on_its_neighbors():
    model = language_model("lstm")
    np.testing.assert_array_equal(
        generate(model)[1], generate(model, PROMPT[1:], SEEDS[1:])[0]
    )


def test_chunks_and_steps_equal_the_whole():
    """A language model of attention, over chunks longer and shorter than its window."""
    model = language_model("transformer")
    tokens = np.random.default_rng(0).integers(0, 11, (2, 12))
    names = models.state_names(model)
    results = []
    for sizes in ([12], [1] * 12, [5, 1, 6]):
        states = {name: ops.zeros((2, *model.input[name].shape[1:])) for name in names}
        logits, first = [], 0
        for size in sizes:
            chunk = tokens[:, first : first + size]
            outputs = model({"tokens": ops.convert_to_tensor(chunk)} | states)
            states = {name: outputs[name] for name in names}
            logits.append(np.asarray(outputs["logits"]))
            first += size
        results.append(np.concatenate(logits, axis=1))
    for found in results[1:]:
        np.testing.assert_allclose(found, results[0], atol=1e-5)


def test_nothing_beyond_the_window_is_seen():
    layer = layers.WindowTransformer(1, 2, 16, window=3)
    x = np.random.default_rng(0).normal(size=(1, 8, 8)).astype("float32")
    changed = x.copy()
    changed[:, 0] *= -1
    before, after = (np.asarray(layer(y)[0]) for y in (x, changed))
    assert np.all(before[:, :4] != after[:, :4])
    np.testing.assert_array_equal(before[:, 4:], after[:, 4:])


def test_bad_arguments():
    with pytest.raises(ValueError, match="step model"):
        decoding.Generator(models.transformer(9), 9)
    with pytest.raises(ValueError, match="positions='sinusoidal'"):
        layers.WindowTransformer(1, 2, 8, window=4, positions="sinusoidal")
    with pytest.raises(ValueError, match="window=0"):
        layers.WindowTransformer(1, 2, 8, window=0)
