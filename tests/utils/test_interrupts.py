import os
import signal

import pytest

from kerasseq.utils import interrupts


@pytest.mark.parametrize("name", interrupts.SIGNALS)
def test_a_signal_is_raised_where_the_job_is(name):
    number, cleaned = getattr(signal, name), []
    before = signal.getsignal(number)
    with pytest.raises(interrupts.Interrupted, match=name) as raised:
        with interrupts.raised():
            try:
                os.kill(os.getpid(), number)
            finally:
                cleaned.append(name)
    assert raised.value.exit_code == 128 + number and cleaned == [name]
    assert signal.getsignal(number) == before


def test_a_signal_that_was_swallowed_is_raised_again():
    with pytest.raises(interrupts.Interrupted):
        with interrupts.raised():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except BaseException:
                pass
    with interrupts.raised():  # that of the block before is forgotten
        interrupts.check()


def test_a_signal_that_waits_for_a_good_moment(capfd):
    done = []
    with pytest.raises(interrupts.Interrupted), interrupts.raised():
        with interrupts.deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            assert interrupts.pending()
            done.append("saved")
    assert done == ["saved"]
    assert "SIGTERM: ends after this step; once more" in capfd.readouterr().err


def test_a_second_signal_does_not_wait():
    with pytest.raises(interrupts.Interrupted, match="SIGINT"), interrupts.raised():
        with interrupts.deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            pytest.fail("it waited")


def test_what_is_ignored_stays_ignored(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.raised():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
