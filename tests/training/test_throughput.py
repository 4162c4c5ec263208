import time

import pytest

from kerasseq.training import Throughput
from tests.training import small_run


class Counts:
    """Ten tokens in the first batch, a hundred in each further one."""

    def __len__(self):
        return 3

    def tokens_in_batch(self, index):
        return 100 if index else 10


def run_epoch(throughput, monkeypatch, step_ends, epoch=0):
    """The rates after steps that end at the given seconds, and of the epoch."""
    rates = []
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    throughput.on_epoch_begin(epoch)
    for batch, seconds in enumerate(step_ends):
        logs = {}
        throughput.on_train_batch_begin(batch)
        monkeypatch.setattr(time, "perf_counter", lambda seconds=seconds: seconds)
        throughput.on_train_batch_end(batch, logs)
        rates.append(logs.get("tokens_per_second"))
    monkeypatch.setattr(time, "perf_counter", lambda: 999.0)  # Validation.
    throughput.on_epoch_end(epoch, logs)
    return [*rates, logs.get("tokens_per_second")]


def test_the_compiling_step_is_left_out(monkeypatch):
    throughput = Throughput(Counts())
    throughput.on_train_begin()
    first = run_epoch(throughput, monkeypatch, [60.0, 61.0, 64.0])
    assert first == [None, 100.0, 50.0, 50.0]
    second = run_epoch(throughput, monkeypatch, [1.0, 2.0, 3.0], epoch=1)
    assert second == pytest.approx([10.0, 55.0, 70.0, 70.0])


def test_a_first_epoch_of_one_step_has_no_figure(monkeypatch):
    throughput = Throughput(Counts())
    throughput.on_train_begin()
    assert run_epoch(throughput, monkeypatch, [60.0]) == [None, None]


def test_shows_in_the_progress_bar_and_the_history(capsys):
    data = small_run.Data(batches=4)
    history = small_run.build_model(1).fit(
        data, shuffle=False, epochs=2, callbacks=[Throughput(data)]
    )
    lines = capsys.readouterr().out.replace("\b", "").replace("\r", "\n").splitlines()
    steps = [line for line in lines if "4/4" in line or "3/4" in line]
    assert steps
    assert all("tokens_per_second" in line for line in steps)
    assert all(rate > 0 for rate in history.history["tokens_per_second"])
    assert len(history.history["tokens_per_second"]) == 2


class Images:
    def __len__(self):
        return 2

    def images_in_batch(self, index):
        return 8


def test_images(monkeypatch):
    throughput = Throughput(Images())
    throughput.on_train_begin()
    run_epoch(throughput, monkeypatch, [60.0, 61.0])
    logs = {}
    throughput.on_epoch_end(0, logs)
    assert logs == {"images_per_second": 8.0}


def test_data_without_counts():
    with pytest.raises(ValueError, match="images_in_batch.*Received: list"):
        Throughput([1, 2])
