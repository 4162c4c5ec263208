import signal

import pytest

from kerasseq.lite import benchmark
from kerasseq.utils import interrupts


@pytest.fixture(autouse=True, scope="session")
def signals_are_heard():
    """In the background, as under `nohup`, the tests start with signals ignored."""
    ignored = [
        number
        for number in (getattr(signal, name) for name in interrupts.SIGNALS)
        if signal.getsignal(number) == signal.SIG_IGN
    ]
    for number in ignored:
        is_int = number == signal.SIGINT
        default = signal.default_int_handler if is_int else signal.SIG_DFL
        signal.signal(number, default)


@pytest.fixture(autouse=True)
def short_measurements(monkeypatch):
    """No test looks at how precisely a latency is measured."""
    monkeypatch.setattr(benchmark, "SECONDS", 0.02)
