import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import data, layers, training

VOCABULARY, UNITS, ROWS, LENGTH = 7, 6, 2, 4
IDS = np.random.default_rng(0).integers(0, VOCABULARY, ROWS * LENGTH * 5 + 1)
BATCHES = data.ContiguousBatches(IDS, ROWS, LENGTH)
TOKENS = np.concatenate([inputs for inputs, _ in BATCHES], axis=1)
ZEROS = {name: np.zeros((ROWS, UNITS), "float32") for name in ("h", "c")}
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_step_model(seed=0, vocabulary=VOCABULARY, units=UNITS, dropout=0.0):
    keras.utils.set_random_seed(seed)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    states = {name: keras.Input((units,), name=name) for name in ("h", "c")}
    x = keras.layers.Embedding(vocabulary, 5, embeddings_initializer="normal")(tokens)
    x = keras.layers.Dropout(dropout, seed=seed)(x)
    lstm = layers.LSTM(units, return_sequences=True, return_state=True)
    x, h, c = lstm(x, initial_state=[states["h"], states["c"]])
    outputs = {"y": keras.layers.Dense(vocabulary)(x), "h": h, "c": c}
    return keras.Model({"tokens": tokens} | states, outputs)


def build(optimizer="adam", batch_size=ROWS, **options):
    trainer = training.TruncatedBPTT(build_step_model(**options), batch_size)
    trainer.compile(optimizer, LOSS, jit_compile=True)
    return trainer


def numbers(variables):
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def assert_same(variables, others, **tolerance):
    for one, other in zip(numbers(variables), numbers(others), strict=True):
        np.testing.assert_allclose(one, other, **({"rtol": 0} | tolerance))


def test_chunks_equal_the_whole():
    trainer = build()
    whole = trainer.step_model({"tokens": TOKENS} | ZEROS)
    expected = ops.convert_to_numpy(whole["y"])
    chunks = [ops.convert_to_numpy(trainer(inputs)) for inputs, _ in BATCHES]
    np.testing.assert_allclose(np.concatenate(chunks, 1), expected, atol=1e-6)
    assert_same(trainer.states.values(), [whole["h"], whole["c"]], atol=1e-6)

    compiled = np.split(trainer.predict(BATCHES, verbose=0), len(BATCHES))
    np.testing.assert_allclose(np.concatenate(compiled, 1), expected, atol=1e-6)
    trainer.reset_states()
    assert_same(trainer.states.values(), ZEROS.values())


def test_states_are_no_weights():
    trainer = build()
    assert trainer.count_params() == trainer.step_model.count_params()


def test_gradients_stop_at_the_chunk():
    trainer = build(keras.optimizers.SGD(1.0))
    start = numbers(trainer.step_model.weights)
    trainer(BATCHES[0][0])
    between = dict(zip("hc", numbers(trainer.states.values()), strict=True))
    trainer.train_on_batch(*BATCHES[1])
    truncated = numbers(trainer.step_model.weights)

    plain = keras.Model(trainer.step_model.input, trainer.step_model.output["y"])
    plain.compile(keras.optimizers.SGD(1.0), LOSS, jit_compile=True)
    plain.set_weights(start)
    plain.train_on_batch({"tokens": BATCHES[1][0]} | between, BATCHES[1][1])
    assert_same(truncated, plain.weights, atol=1e-6)

    plain.set_weights(start)
    inputs, targets = (np.concatenate(x, 1) for x in zip(*BATCHES, strict=True))
    both = {"tokens": inputs[:, : 2 * LENGTH]} | ZEROS
    second_half = np.repeat([[0.0, 2.0]], LENGTH, 1) * np.ones((ROWS, 1))
    plain.train_on_batch(both, targets[:, : 2 * LENGTH], second_half)
    assert any(
        np.abs(a - b).max() > 1e-4
        for a, b in zip(truncated, numbers(plain.weights), strict=True)
    )


def test_each_epoch_starts_from_zero():
    trainer, other = build(), build()
    trainer.fit(BATCHES, epochs=2, verbose=0)
    for _ in range(2):
        other.reset_states()
        for batch in BATCHES:
            other.train_on_batch(*batch)
    assert_same(trainer.weights, other.weights, atol=1e-6)
    assert np.abs(numbers(trainer.states.values())).max() > 0


def test_evaluation_starts_from_zero_and_disturbs_nothing():
    trainer, other = build(), build()
    history = trainer.fit(BATCHES, validation_data=BATCHES, epochs=2, verbose=0).history
    other.fit(BATCHES, epochs=2, verbose=0)
    assert_same(trainer.weights, other.weights)
    before = numbers(trainer.states.values())
    for _ in range(2):
        loss = trainer.evaluate(BATCHES, verbose=0)
        np.testing.assert_allclose(loss, history["val_loss"][-1], rtol=1e-6)
    assert_same(trainer.states.values(), before)


def test_learns_what_lies_further_back_than_the_chunk():
    """Each random bit is followed by the bit before it, and chunks hold two bits.

    The first of the two copies in a chunk stands in the chunk before: without it three
    targets of four are random, with it two.
    """
    bits = np.random.default_rng(0).integers(0, 2, 961)
    text = np.stack([bits[1:], bits[:-1]], axis=1).reshape(-1)
    batches = data.ContiguousBatches(text, batch_size=8, length=4)
    optimizer = keras.optimizers.Adam(0.03)
    trainer = build(optimizer, batch_size=8, vocabulary=2, units=12)
    trainer.fit(batches, epochs=8, verbose=0)
    assert trainer.evaluate(batches, verbose=0) < 0.44 < np.log(2) * 3 / 4


def resumable_fit(path, callbacks=(), seed=1, restore=False):
    trainer = build(dropout=0.5, seed=seed)
    state = training.RunState(path / "state.npz")
    if restore:
        assert state.restore(trainer)
        assert state.initial_epoch == 2
    trainer.fit(
        BATCHES,
        validation_data=BATCHES,
        epochs=4,
        initial_epoch=state.initial_epoch,
        verbose=0,
        callbacks=[*callbacks, state],
    )
    return trainer


def test_an_interrupted_run_resumes_exactly(tmp_path):
    expected = resumable_fit(tmp_path / "whole")

    def stop(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    stopper = keras.callbacks.LambdaCallback(on_epoch_begin=stop)
    with pytest.raises(KeyboardInterrupt):
        resumable_fit(tmp_path / "broken", [stopper])
    trainer = resumable_fit(tmp_path / "broken", seed=7, restore=True)
    assert_same(trainer.variables, expected.variables)
    assert_same(trainer.optimizer.variables, expected.optimizer.variables)


@pytest.mark.parametrize(
    "precision",
    [pytest.param("mixed_float16", marks=pytest.mark.slow), "mixed_bfloat16"],
)
def test_mixed_precision(precision):
    keras.config.set_dtype_policy(precision)
    try:
        trainer = build()
        history = trainer.fit(BATCHES, epochs=2, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    assert trainer.states["h"].dtype == "float32"
    assert trainer.step_model.compute_dtype == precision.removeprefix("mixed_")
    assert np.isfinite(history["loss"]).all()


@pytest.mark.slow
def test_one_set_of_weights_and_a_file_of_each(tmp_path):
    trainer = build()
    trainer.fit(BATCHES, verbose=0)
    trainer.step_model.save(tmp_path / "step.keras")
    alone = keras.saving.load_model(tmp_path / "step.keras")
    assert_same(alone.weights, trainer.step_model.weights)
    assert_same(trainer.trainable_weights, trainer.step_model.trainable_weights)
    trainer.save(tmp_path / "trainer.keras")
    again = keras.saving.load_model(tmp_path / "trainer.keras")
    assert_same(again.weights, trainer.weights)
    assert_same([again(TOKENS)], [trainer(TOKENS)])


def test_several_inputs_and_outputs():
    x, y, s = (keras.Input((3,), name=name) for name in "xys")
    model = keras.Model({"s": s, "x": x, "y": y}, {"sum": s + x, "s": s + y, "z": x})
    trainer = training.TruncatedBPTT(model, ROWS, main_output="sum")
    ones = {"x": np.ones((ROWS, 3)), "y": np.ones((ROWS, 3))}
    sums = [float(ops.sum(trainer(ones))) for _ in range(3)]
    assert sums == [6, 12, 18]
    with pytest.raises(ValueError, match=r"must be one of \['sum', 'z'\]"):
        training.TruncatedBPTT(model, ROWS)
    with pytest.raises(ValueError, match=r"\['x', 'y'\]. Received: \['x'\]"):
        trainer({"x": np.ones((ROWS, 3))})


def test_wrong_batches():
    trainer = build()
    with pytest.raises(ValueError, match="must have batch_size=2 rows"):
        trainer(np.zeros((3, LENGTH), "int32"))
    other = data.ContiguousBatches(IDS, 3, LENGTH)
    for method in (trainer.fit, trainer.evaluate, trainer.predict):
        with pytest.raises(ValueError, match="ContiguousBatches.batch_size=3"):
            method(other)
    rows = np.zeros((5, LENGTH), "int32")
    for batch_size in (None, 2, 5):
        with pytest.raises(ValueError, match="whole batches"):
            trainer.fit(rows, rows, batch_size=batch_size)
    with pytest.raises(ValueError, match="leave `shuffle` out"):
        trainer.fit(BATCHES, shuffle=True)


def test_arrays_of_whole_batches():
    trainer, other = build(), build()
    inputs, targets = (np.concatenate(x) for x in zip(*BATCHES, strict=True))
    trainer.fit(inputs, targets, batch_size=ROWS, verbose=0)
    other.fit(BATCHES, verbose=0)
    assert_same(trainer.weights, other.weights, atol=1e-7)


def test_what_is_no_step_model():
    step_model = build_step_model()
    with pytest.raises(ValueError, match="at least 1"):
        training.TruncatedBPTT(step_model, 0)
    with pytest.raises(ValueError, match="dict of inputs"):
        training.TruncatedBPTT(keras.Sequential([keras.Input((2,))]), 1)
    stateless = keras.Model(step_model.input, {"y": step_model.output["y"]})
    with pytest.raises(ValueError, match="under the same names"):
        training.TruncatedBPTT(stateless, 1)
    s = keras.Input((3,), name="s")
    with pytest.raises(ValueError, match="must keep its shape"):
        training.TruncatedBPTT(keras.Model({"s": s}, {"s": s[:, :2]}), 1)
    s, x = keras.Input((None,), name="s"), keras.Input((1,), name="x")
    with pytest.raises(ValueError, match="fixed size in all but the batch"):
        training.TruncatedBPTT(keras.Model({"s": s, "x": x}, {"s": s + x, "y": x}), 1)
