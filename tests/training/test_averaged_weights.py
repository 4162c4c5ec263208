"""Averages of the optimizer or of checkpoints: validated, kept and resumed from."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasseq.training import RunState, averaged_weights

EPOCHS, STEPS, MOMENTUM = 4, 3, 0.8


class Data(keras.utils.PyDataset):
    """Three batches of a linear task, the same each epoch."""

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        inputs = np.random.default_rng(index).normal(size=(8, 4)).astype("float32")
        return inputs, inputs.sum(axis=1, keepdims=True)


class Weights(keras.callbacks.Callback):
    """The trained weights after each step, and those that each epoch validates."""

    def __init__(self):
        super().__init__()
        self.trained, self.validated = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.trained.append(self.model.get_weights())

    def on_test_batch_end(self, batch, logs=None):
        self.validated.append(self.model.get_weights())


def build_model(seed=1, scale=False, **optimizer):
    keras.utils.set_random_seed(seed)
    layers = [
        keras.layers.Dropout(0.3, seed=seed),
        keras.layers.Dense(3),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential([keras.Input((4,)), *layers])
    optimizer = {"use_ema": True, "ema_momentum": MOMENTUM} | optimizer
    optimizer = keras.optimizers.AdamW(0.05, **optimizer)
    if scale:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0)
    model.compile(optimizer, "mse", jit_compile=True)
    return model


def fit(model, folder, epochs=EPOCHS, restore=False, checkpoints=0, **stopping):
    stopping = {"monitor": "val_loss", "patience": EPOCHS} | stopping
    stopper = keras.callbacks.EarlyStopping(**stopping, restore_best_weights=True)
    state = RunState(folder / "state.npz", stopper, average_checkpoints=checkpoints)
    assert state.restore(model) == restore
    weights = Weights()
    if not state.finished:
        model.fit(
            Data(),
            validation_data=Data(),
            epochs=epochs,
            initial_epoch=state.initial_epoch,
            shuffle=False,
            verbose=0,
            callbacks=[weights, state],
        )
    return weights, state


def averages(trained):
    """The exponential moving average after each step, the first weights its start."""
    found = [trained[0]]
    for weights in trained[1:]:
        pairs = zip(found[-1], weights, strict=True)
        found.append([MOMENTUM * a + (1 - MOMENTUM) * w for a, w in pairs])
    return found


def assert_close(weights, expected, **tolerance):
    for weight, other in zip(weights, expected, strict=True):
        np.testing.assert_allclose(weight, other, **tolerance or {"rtol": 0})


def all_variables(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [ops.convert_to_numpy(variable) for variable in variables]


def test_the_averages_are_validated_and_kept(tmp_path):
    model = build_model()
    weights, state = fit(model, tmp_path)
    by_epoch = averages(weights.trained)[STEPS - 1 :: STEPS]
    for validated, expected in zip(
        weights.validated[STEPS - 1 :: STEPS], by_epoch, strict=True
    ):
        dense = [w for w in validated if w.dtype == "float32"]
        expected = [w for w in expected if w.dtype == "float32"]
        assert_close(dense, expected, rtol=1e-5, atol=1e-6)
    best = state.early_stopping.best_epoch
    assert_close(model.get_weights(), weights.validated[best * STEPS])
    loss = model.evaluate(Data(), verbose=0)
    assert loss == pytest.approx(state.history[best]["val_loss"], rel=1e-6)


def test_validation_does_not_disturb_training(tmp_path):
    weights, _ = fit(build_model(), tmp_path / "averaging")
    plain, _ = fit(build_model(use_ema=False), tmp_path / "plain")
    for trained, expected in zip(weights.trained, plain.trained, strict=True):
        assert_close(trained, expected)


def test_checkpoints_are_averaged_validated_and_kept(tmp_path):
    model = build_model(use_ema=False)
    weights, state = fit(model, tmp_path, checkpoints=3)
    ends = weights.trained[STEPS - 1 :: STEPS]
    for epoch, validated in enumerate(weights.validated[STEPS - 1 :: STEPS]):
        last = ends[max(0, epoch - 2) : epoch + 1]
        for weight, *others in zip(validated, *last, strict=True):
            if weight.dtype == "float32":  # not the seed of dropout
                np.testing.assert_allclose(weight, np.mean(others, axis=0), atol=1e-6)
    best = state.early_stopping.best_epoch
    loss = model.evaluate(Data(), verbose=0)
    assert loss == pytest.approx(state.history[best]["val_loss"], rel=1e-6)
    plain, _ = fit(build_model(use_ema=False), tmp_path / "plain")
    for trained, expected in zip(weights.trained, plain.trained, strict=True):
        assert_close(trained, expected)


def test_without_early_stopping_the_last_mean_stays(tmp_path):
    model = build_model(use_ema=False)
    state = RunState(tmp_path / "state.npz", average_checkpoints=2)
    weights = Weights()
    model.fit(Data(), epochs=3, shuffle=False, verbose=0, callbacks=[weights, state])
    ends = weights.trained[STEPS - 1 :: STEPS][-2:]
    kernel = np.mean([values[0] for values in ends], axis=0)
    np.testing.assert_allclose(model.get_weights()[0], kernel, atol=1e-6)
    again = build_model(seed=7, use_ema=False)
    assert RunState(tmp_path / "state.npz", average_checkpoints=2).restore(again)
    np.testing.assert_allclose(again.get_weights()[0], kernel, atol=1e-6)


def test_two_kinds_of_averages(tmp_path):
    with pytest.raises(ValueError, match="use_ema=True, average_checkpoints=3"):
        fit(build_model(), tmp_path, checkpoints=3)


@pytest.mark.parametrize(
    "options, checkpoints", [({}, 0), ({"use_ema": False}, 3)], ids=["ema", "mean"]
)
def test_a_stopped_run_goes_on_to_the_bit(tmp_path, options, checkpoints):
    whole = build_model(**options)
    _, expected = fit(whole, tmp_path / "whole", checkpoints=checkpoints)
    fit(build_model(**options), tmp_path / "broken", 2, checkpoints=checkpoints)
    state = np.load(tmp_path / "broken" / "state.npz")
    contents = dict(state)
    contents["meta"] = str(state["meta"]).replace(
        '"finished": true', '"finished": false'
    )
    np.savez(tmp_path / "broken" / "state.npz", **contents)

    resumed = build_model(seed=7, **options)
    folder = tmp_path / "broken"
    _, found = fit(resumed, folder, restore=True, checkpoints=checkpoints)
    assert_close(all_variables(resumed), all_variables(whole))
    for row, other in zip(found.history, expected.history, strict=True):
        assert row["val_loss"] == other["val_loss"]


def test_a_finished_run_gives_the_same_averages_back(tmp_path):
    model = build_model()
    fit(model, tmp_path, min_delta=100, patience=1)  # stops, the first epoch best
    again = build_model(seed=7)
    _, state = fit(again, tmp_path, restore=True, min_delta=100, patience=1)
    assert state.finished and len(state.history) == 2
    assert_close(again.get_weights(), model.get_weights())


def test_the_optimizer_within_a_loss_scale_averages_too(tmp_path):
    model = build_model(scale=True)
    weights, state = fit(model, tmp_path)
    best = state.early_stopping.best_epoch
    assert_close(model.get_weights(), weights.validated[best * STEPS])
    last = weights.trained[-1]
    assert not all(map(np.array_equal, weights.validated[-1], last))


def test_nothing_happens_without_averages():
    model = build_model(use_ema=False)
    before = model.get_weights()
    assert averaged_weights.swap_in(model) == []
    with averaged_weights.swapped_in(model):
        assert_close(model.get_weights(), before)
