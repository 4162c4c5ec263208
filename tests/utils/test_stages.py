"""What a long job logs."""

import logging
import time

import pytest

from kerasseq.utils import stages


@pytest.mark.parametrize(
    "seconds, text", [(7.4, "7 s"), (99, "99 s"), (420, "7 min"), (12600, "3.5 h")]
)
def test_durations(seconds, text):
    assert stages.duration(seconds) == text


def test_parts_and_what_is_left(monkeypatch):
    clock, told = [0.0], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())
    with stages.shown(handler):
        job = stages.Stages(4)
        job.begin("graph")
        clock[0] += 10
        for _ in job.each("ab", "file {}".format):
            clock[0] += 4
        job.begin("end")
    stages.Stages(1).begin("another")
    assert told == [
        "1 of 4: graph",
        "2 of 4: file a, about 30 s left",
        "3 of 4: file b, about 14 s left",
        "4 of 4: end, about 6 s left",
    ]


def test_it_is_shown_once(caplog):
    """Whatever another library gave the root logger, as `caplog` does."""
    told = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())
    with stages.shown(handler):
        stages.Stages(1).begin("graph")
    assert told == ["1 of 1: graph"] and not caplog.records
    assert stages.LOGGER.propagate
