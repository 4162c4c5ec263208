import keras
import numpy as np
import pytest

from kerasseq import decoding, export, layers, lite, models

TOKENS = np.random.default_rng(0).integers(0, 11, (1, 12)).astype("int32")


def build(cell="lstm"):
    outputs = {"return_sequences": True, "return_state": True}
    body = layers.StackedRNN(8, 2, cell, **outputs)
    model = models.language_model(11, body, embedding_dim=6, seed=0)
    generator = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(generator.normal(0, 0.5, weight.shape))
    return model


def zeros(model):
    return {name: np.zeros((1, 8), "float32") for name in models.state_names(model)}


@pytest.mark.parametrize(("cell", "length"), [("lstm", 1), ("gru", 1), ("gru", 4)])
def test_exported_step_equals_the_whole(cell, length, tmp_path):
    model = build(cell)
    report = export.export_model(
        model,
        tmp_path,
        signatures=lambda twin: decoding.step_signature(twin, length=length),
    )
    tflite = report["artifacts"][0]
    assert tflite["flex_ops"] == [] and not tflite["dynamic_shapes"]
    count = len(models.state_names(model))
    assert tflite["state_bytes"] == {"step": 8 * 4 * count}
    if length == 1:
        assert "WHILE" not in tflite["ops"]

    runner = lite.Runner(tmp_path / "model.tflite")
    step, chunks = runner.stateful("step"), np.split(TOKENS, 12 // length, axis=1)
    expected = model({"tokens": TOKENS} | zeros(model))
    for _ in range(2):
        outputs = [step(tokens=chunk) for chunk in chunks]
        assert all(list(output) == ["logits"] for output in outputs)
        logits = np.concatenate([output["logits"] for output in outputs], 1)
        np.testing.assert_allclose(logits, expected["logits"], atol=1e-5)
        for name, state in step.states.items():
            np.testing.assert_allclose(state, expected[name], atol=1e-5)
        middle = dict(step.states)
        step.reset()
    if length == 1:
        again = runner.stateful("step", **middle)(tokens=TOKENS[:, :1])["logits"]
        longer = np.concatenate([TOKENS, TOKENS[:, :1]], axis=1)
        expected = model({"tokens": longer} | zeros(model))["logits"]
        np.testing.assert_allclose(again, expected[:, -1:], atol=1e-5)
        with pytest.raises(ValueError, match="Received: .'state_9'"):
            runner.stateful("step", state_9=1)


def test_specs():
    table = decoding.step_signature(build(), batch_size=3, length=2)
    function, specs = table["step"]
    states = {f"state_{index}": ((3, 8), "float32") for index in range(4)}
    assert specs == {"tokens": ((3, 2), "int32")} | states
    inputs = {name: np.zeros(*spec) for name, spec in specs.items()}
    assert set(function(**inputs)) == {"logits", *states}


def test_bad_arguments():
    for sizes in ({"batch_size": 0}, {"length": 0}):
        with pytest.raises(ValueError, match="must be at least 1"):
            decoding.step_signature(build(), **sizes)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="A step model is a functional model"):
        decoding.step_signature(model)
    s, x = keras.Input((3,), name="s"), keras.Input((None, None, 3), name="x")
    model = keras.Model({"s": s, "x": x}, {"s": s * 2, "y": x})
    with pytest.raises(ValueError, match="Only batch and time"):
        decoding.step_signature(model)
