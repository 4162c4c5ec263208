"""Signals that ask a job to end: raised where it is, and never lost."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

_received: list[int] = []
_waiting = [False]


class Interrupted(KeyboardInterrupt):
    """A signal asked this process to end.

    Args:
        number: Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number  # as of a process that the signal killed


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Raises `Interrupted` within the block when Ctrl-C or `kill` ask to end.

    So what is left of the block cleans up: temporary folders go, child processes end.
    Should somebody's code swallow the exception, `check` and the end of the block raise
    it again. A signal that is ignored, as under `nohup`, stays so. Outside the main
    thread, which alone gets signals, nothing changes.

    Raises:
        Interrupted: When a signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _received.clear()
    numbers = [getattr(signal, name) for name in SIGNALS]
    before = {number: signal.getsignal(number) for number in numbers}
    heard = [number for number in numbers if before[number] != signal.SIG_IGN]
    try:
        for number in heard:
            signal.signal(number, _raise)
        yield
        check()
    finally:
        for number in heard:
            signal.signal(number, before[number])
        _received.clear()


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Lets the first signal within the block wait for `check`, which must be called.

    For work that has good moments to end, and others at which something is lost. A
    second signal ends it at once. Only where signals are `raised` at all.

    Raises:
        Interrupted: When a signal came.
    """
    before, _waiting[0] = _waiting[0], True
    try:
        yield
    finally:
        _waiting[0] = before
    check()


def pending() -> bool:
    """Whether a signal came since `raised` began, that `check` would raise."""
    return bool(_received)


def check() -> None:
    """Raises `Interrupted` if a signal came since `raised` began."""
    if _received:
        raise Interrupted(_received[0])


def _raise(number, frame):
    waits = _waiting[0] and not _received
    _received.append(number)
    if not waits:
        raise Interrupted(number)
    name = signal.Signals(number).name
    # Not `print`, which the signal may have interrupted.
    os.write(2, f"{name}: ends after this step; once more ends at once\n".encode())
