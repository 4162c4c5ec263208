import csv
import json
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from kerasseq.training import RunState, run_file
from kerasseq.utils import interrupts
from tests.training import small_run


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A whole run: its directory, model and state."""
    directory = tmp_path_factory.mktemp("uninterrupted")
    model, state = small_run.build_model(1), small_run.build_state(directory)
    small_run.fit(model, state)
    return directory, model, state


def read_csv(directory):
    with open(directory / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def without_times(rows):
    drop = ("seconds", "tokens_per_second")
    return [{k: v for k, v in row.items() if k not in drop} for row in rows]


def assert_same_weights(model, expected, **tolerance):
    variables = [*model.variables, *model.optimizer.variables]
    others = [*expected.variables, *expected.optimizer.variables]
    for variable, other in zip(variables, others, strict=True):
        values = ops.convert_to_numpy(variable), ops.convert_to_numpy(other)
        if tolerance and variable.dtype == "float32":
            np.testing.assert_allclose(*values, **tolerance)
        else:
            np.testing.assert_array_equal(*values)


class Interrupt(keras.callbacks.Callback):
    """Breaks off within an epoch, as ctrl-c does."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def small_fit(
    directory,
    callbacks=(),
    restore=False,
    seed=1,
    epochs=small_run.EPOCHS,
    save_every=None,
    batch_size=None,
    **settings,
):
    """Like `small_run`, with a model that compiles in no time."""
    keras.utils.set_random_seed(seed)
    dropout = keras.layers.Dropout(0.5, seed=seed)
    model = keras.Sequential([keras.Input((4,)), dropout, keras.layers.Dense(1)])
    model.compile("adam", "mse", weighted_metrics=[], jit_compile=True)
    early_stopping = keras.callbacks.EarlyStopping(
        restore_best_weights=True, patience=2, **settings.pop("stop", {})
    )
    path = directory / "state.npz"
    state = RunState(path, early_stopping, settings, save_every=save_every)
    if restore:
        state.restore(model)
    inputs = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    model.fit(
        inputs,
        inputs[:, :1],
        validation_data=(inputs, inputs[:, :1]),
        epochs=epochs,
        initial_epoch=state.initial_epoch,
        batch_size=batch_size,
        shuffle=False,
        verbose=0,
        callbacks=[*callbacks, state],
    )
    return model, state


class KillWithin(keras.callbacks.Callback):
    """Raises at a step, as a crash would; what is in memory is lost."""

    def __init__(self, epoch, step):
        super().__init__()
        self.at = (epoch, step)

    on_epoch_begin = small_run.KillAt.on_epoch_begin

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


def interrupted(directory, epoch, **settings):
    with pytest.raises(KeyboardInterrupt):
        small_fit(directory, [Interrupt(epoch)], **settings)


def resume(directory, **state):
    """Resumes with other initial weights and seeds: the file must bring them all."""
    model, state = small_run.build_model(7), small_run.build_state(directory, **state)
    assert state.restore(model)
    if not state.finished:
        small_run.fit(model, state)
    return model, state


def test_a_killed_run_ends_where_the_uninterrupted_one_ends(tmp_path, uninterrupted):
    """Up to rounding, which two processes may do differently after other tests.

    Bit for bit is what the tests within one process compare. A state that is lost
    changes the third digit of the losses.
    """
    _, expected_model, expected_state = uninterrupted
    child = subprocess.run(
        [sys.executable, "-m", "tests.training.small_run", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert len(read_csv(tmp_path)) == 2
    model, state = resume(tmp_path)
    rows = without_times(state.history), without_times(expected_state.history)
    for row, expected in zip(*rows, strict=True):
        assert row == pytest.approx(expected, rel=1e-5)
    assert_same_weights(model, expected_model, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("epoch, step", [(0, 1), (1, 0), (1, 5), (2, 4)])
def test_a_run_that_is_killed_within_an_epoch(tmp_path, epoch, step):
    """Whatever the step: the same weights, seeds and history, to the last bit."""
    sizes = {"batch_size": 1}
    expected_model, expected_state = small_fit(tmp_path / "whole", **sizes)
    broken = tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        small_fit(broken, [KillWithin(epoch, step)], save_every=1, **sizes)
    counted = Counted()
    model, state = small_fit(broken, [counted], restore=True, seed=7, **sizes)
    # The step that was done when the run was killed is done once more.
    steps = 6 * len(expected_state.history)
    assert counted.trained == steps - (6 * epoch + step) > 0
    assert without_times(state.history) == without_times(expected_state.history)
    assert_same_weights(model, expected_model)


class Counted(keras.callbacks.Callback):
    """Counts the steps that train."""

    def __init__(self):
        super().__init__()
        self.trained, self.before = 0, None

    def on_train_batch_begin(self, batch, logs=None):
        self.before = int(self.model.optimizer.iterations)

    def on_train_batch_end(self, batch, logs=None):
        self.trained += int(self.model.optimizer.iterations) - self.before


@pytest.mark.slow
def test_many_kills(tmp_path):
    """Each resumed run is killed again, after a step or two."""
    sizes = {"batch_size": 1}
    expected_model, expected_state = small_fit(tmp_path / "whole", **sizes)
    broken, generator = tmp_path / "broken", np.random.default_rng(0)
    at = (0, 1)
    for kills in range(100):
        options = {"restore": kills > 0, "seed": kills + 1, "save_every": 1} | sizes
        try:
            model, state = small_fit(broken, [KillWithin(*at)], **options)
            break
        except KeyboardInterrupt:
            saved = run_file.read(broken / "state.npz")
            steps = 6 * saved["epoch"] + saved["step"] + generator.integers(1, 3)
            at = divmod(int(steps), 6)
    assert kills >= 8
    assert without_times(state.history) == without_times(expected_state.history)
    assert_same_weights(model, expected_model)


@pytest.mark.slow
def test_twenty_kills_of_the_process(tmp_path):
    """The last state, weights and seeds and optimizer, is the same to the last bit."""

    def run(folder, steps):
        command = [sys.executable, "-m", "tests.training.small_run", folder, str(steps)]
        return subprocess.run(command, capture_output=True, text=True)

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run(whole, 0).returncode == 0
    kills = 0
    # The first step is saved when the second one begins.
    while (child := run(killed, 2)).returncode:
        assert child.returncode == -signal.SIGKILL, child.stderr
        kills += 1
    assert kills >= 15
    found, expected = (run_file.read(path / "state.npz") for path in (killed, whole))
    for name in ("variables", "best_weights"):
        for values in zip(found[name], expected[name], strict=True):
            np.testing.assert_array_equal(*values)
    assert without_times(found["history"]) == without_times(expected["history"])


def test_a_signal_saves_first(tmp_path, caplog):
    class Signal(KillWithin):
        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == self.at:
                os.kill(os.getpid(), signal.SIGTERM)

    sizes = {"batch_size": 1}
    expected_model, _ = small_fit(tmp_path / "whole", **sizes)
    with pytest.raises(interrupts.Interrupted), interrupts.raised():
        with interrupts.deferred():
            small_fit(tmp_path / "broken", [Signal(1, 2)], **sizes)
    assert "saved after step 3 of epoch 2" in caplog.text
    counted = Counted()
    model, _ = small_fit(tmp_path / "broken", [counted], restore=True, **sizes)
    assert counted.trained == 6 * len(model.history.epoch) - 3
    assert_same_weights(model, expected_model)


def test_a_damaged_state_is_skipped(tmp_path, caplog):
    """Once: the one before it is as good; with none left it is an error."""
    expected_model, _ = small_fit(tmp_path)
    path, before = tmp_path / "state.npz", tmp_path / "state.1.npz"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    model, _ = small_fit(tmp_path, restore=True, seed=7)
    assert "state.npz is damaged; resuming from" in caplog.text
    assert_same_weights(model, expected_model)
    path.write_bytes(damaged)
    before.write_bytes(damaged)
    with pytest.raises(ValueError, match="state.npz is damaged"):
        small_fit(tmp_path, restore=True)


def test_a_run_that_stops_early_and_resumes(tmp_path):
    """The best epoch lies before the break, the end after it."""
    stop = {"min_delta": 100}  # No epoch is better than the first by so much.
    expected_model, expected_state = small_fit(tmp_path / "whole", stop=stop)
    interrupted(tmp_path / "broken", 1, stop=stop)
    model, state = small_fit(tmp_path / "broken", restore=True, seed=7, stop=stop)

    assert state.finished
    assert len(state.history) == 3  # The first and two epochs of patience.
    assert state.early_stopping.stopped_epoch == 2
    assert state.early_stopping.best_epoch == 0
    assert without_times(state.history) == without_times(expected_state.history)
    assert_same_weights(model, expected_model)


def test_a_run_that_was_broken_off_can_be_told_to_end_there(tmp_path):
    """Where the number of epochs is no part of the fingerprint."""
    stop = {"min_delta": 100}  # The first epoch is the best one.
    first, _ = small_fit(tmp_path / "first", epochs=1, stop=stop)
    interrupted(tmp_path / "broken", 2, stop=stop)
    model, state = small_fit(
        tmp_path / "broken", restore=True, seed=7, epochs=2, stop=stop
    )
    assert len(state.history) == 2
    for weight, best in zip(model.get_weights(), first.get_weights(), strict=True):
        if weight.dtype == "float32":  # not the seed, which went on
            np.testing.assert_array_equal(weight, best)


def test_a_finished_run_gives_its_final_model_back(uninterrupted):
    directory, expected_model, expected_state = uninterrupted
    model, state = resume(directory)
    assert state.finished
    assert state.initial_epoch == small_run.EPOCHS
    assert state.history == expected_state.history
    assert_same_weights(model, expected_model)


def test_a_finished_run_without_early_stopping_averages_as_fit_does(tmp_path):
    def build():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), "mse")
        return model

    model = build()
    inputs = np.ones((4, 2), "float32")
    state = RunState(tmp_path / "state.npz")
    model.fit(inputs, inputs[:, :1], epochs=2, verbose=0, callbacks=[state])
    again = build()
    assert RunState(tmp_path / "state.npz").restore(again)
    for weight, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_history_file(uninterrupted):
    directory, _, state = uninterrupted
    rows = read_csv(directory)
    names = list(rows[0])
    assert names[0] == "epoch"
    assert names[1:] == sorted(names[1:])
    assert {"loss", "val_cross_entropy", "learning_rate", "seconds"} < set(names)
    assert "tokens_per_second" in names
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4, 5]
    for row, expected in zip(rows, state.history, strict=True):
        assert {name: float(value) for name, value in row.items()} == expected
    rates = [float(row["learning_rate"]) for row in rows]
    assert max(rates) <= 0.0201 and rates[-1] < 1e-6


def test_no_saved_run_changes_nothing(tmp_path):
    state = small_run.build_state(tmp_path)
    assert not state.restore(small_run.build_model(1))
    assert (state.initial_epoch, state.finished, state.history) == (0, False, [])
    assert not list(tmp_path.iterdir())


def test_a_new_run_replaces_the_old_one(tmp_path):
    interrupted(tmp_path, 2, note="old")
    assert len(read_csv(tmp_path)) == 2
    interrupted(tmp_path, 1, note="new")
    assert len(read_csv(tmp_path)) == 1
    _, state = small_fit(tmp_path, restore=True, note="new")
    assert len(state.history) == small_run.EPOCHS


def test_a_second_fit_with_the_same_object_is_a_new_run(tmp_path):
    model, state = small_fit(tmp_path)
    inputs = np.ones((2, 4), "float32")
    data = (inputs, inputs[:, :1])
    model.fit(*data, validation_data=data, verbose=0, callbacks=[state])
    assert len(state.history) == len(read_csv(tmp_path)) == 1


def test_a_new_run_after_a_resumed_one_that_was_broken_off(tmp_path):
    """It begins at its first step: what the resumed one had left to skip is over."""
    state = RunState(tmp_path / "state.npz", save_every=1)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.ones((4, 1), "float32"), np.ones((4, 1), "float32")
    options = {"batch_size": 1, "shuffle": False, "verbose": 0}
    for kill in (KillWithin(0, 2), KillWithin(0, 2)):
        state.restore(model)
        with pytest.raises(KeyboardInterrupt):
            model.fit(*data, callbacks=[kill, state], **options)
    counted = Counted()
    model.fit(*data, callbacks=[counted, state], **options)
    assert counted.trained == 4


def test_the_history_file_follows_the_state(tmp_path):
    """A kill between the two writes leaves the rows of the epoch before."""
    interrupted(tmp_path, 1)
    (tmp_path / "history.csv").unlink()
    with pytest.raises(KeyboardInterrupt):
        small_fit(tmp_path, [Interrupt(1)], restore=True)
    assert len(read_csv(tmp_path)) == 1


def test_nothing_else_is_left_in_the_directory(uninterrupted):
    directory, _, _ = uninterrupted
    names = sorted(path.name for path in directory.iterdir())
    assert names == ["history.csv", "state.1.npz", "state.npz"]


def test_bfloat16_weights_come_back(tmp_path):
    def build():
        dense = keras.layers.Dense(1, dtype="bfloat16")
        model = keras.Sequential([keras.Input((2,)), dense])
        model.compile("sgd", "mse")
        return model

    model, inputs = build(), np.ones((4, 2), "float32")
    state = RunState(tmp_path / "state.npz")
    model.fit(inputs, inputs[:, :1], verbose=0, callbacks=[state])
    again = build()
    RunState(tmp_path / "state.npz").restore(again)
    for weight, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_another_fingerprint_names_the_differences(uninterrupted):
    directory, _, _ = uninterrupted
    state = small_run.build_state(directory, seed=2, units=8)
    with pytest.raises(ValueError, match=r"seed: 1 -> 2, units: 'nothing' -> 8"):
        state.restore(small_run.build_model(1))


def test_tuples_in_the_fingerprint_survive(tmp_path):
    assert RunState(tmp_path / "s.npz", fingerprint={"a": (1, 2)}).fingerprint == {
        "a": [1, 2]
    }


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.999])
def test_a_truncated_file(tmp_path, uninterrupted, keep):
    directory, _, _ = uninterrupted
    data = (directory / "state.npz").read_bytes()
    size = keep if isinstance(keep, int) else int(len(data) * keep)
    (tmp_path / "state.npz").write_bytes(data[:size])
    with pytest.raises(ValueError, match="damaged"):
        small_run.build_state(tmp_path).restore(small_run.build_model(1))


def test_a_flipped_byte(tmp_path, uninterrupted):
    directory, _, _ = uninterrupted
    data = bytearray((directory / "state.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "state.npz").write_bytes(data)
    with pytest.raises(ValueError, match="damaged"):
        small_run.build_state(tmp_path).restore(small_run.build_model(1))


def test_another_file(tmp_path):
    np.savez(tmp_path / "state.npz", meta=np.array(json.dumps({"format": 0})))
    with pytest.raises(ValueError, match="another format"):
        small_run.build_state(tmp_path).restore(small_run.build_model(1))


def test_another_model(uninterrupted):
    directory, _, _ = uninterrupted
    state = small_run.build_state(directory)
    model = small_run.build_model(1, units=9)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"shape \(6, 27\).*\(6, 24\)"):
        state.restore(model)
    for weight, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_another_optimizer(uninterrupted):
    directory, _, _ = uninterrupted
    model = small_run.build_model(1)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"holds \d+ variables"):
        small_run.build_state(directory).restore(model)


def test_other_early_stopping(uninterrupted):
    directory, _, state = uninterrupted
    without = RunState(directory / "state.npz", fingerprint=state.fingerprint)
    with pytest.raises(ValueError, match="written with early stopping"):
        without.restore(small_run.build_model(1))


def test_a_model_that_is_not_compiled(uninterrupted):
    directory, _, _ = uninterrupted
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="built and compiled"):
        small_run.build_state(directory).restore(model)


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="npz"):
        RunState(tmp_path / "state")
    with pytest.raises(ValueError, match="JSON"):
        RunState(tmp_path / "state.npz", fingerprint={"a": object()})
    for every in (0, -1, 2.5, "10 minutes", "10x", "0s", True, "1.5"):
        with pytest.raises(ValueError, match="save_every"):
            RunState(tmp_path / "state.npz", save_every=every)
