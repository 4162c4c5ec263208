"""Tells how far a long job is, and what is to be said, through a logger `kerasseq`."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

LOGGER = logging.getLogger("kerasseq")
Item = TypeVar("Item")


def duration(seconds: float) -> str:
    """Seconds as text: `"50 s"`, `"7 min"`, `"3.5 h"`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class Stages:
    """The parts of a job, which take about the same time.

    Args:
        total: Their number.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._begun = 0
        self._began = time.monotonic()

    def begin(self, text: str) -> None:
        """Logs that the next part begins, and the time that is left.

        Args:
            text: What is done.
        """
        if self._begun:
            passed = (time.monotonic() - self._began) / self._begun
            text += f", about {duration(passed * (self.total - self._begun))} left"
        self._begun += 1
        LOGGER.info("%d of %d: %s", self._begun, self.total, text)

    def each(
        self, items: Iterable[Item], text: Callable[[Item], str]
    ) -> Iterator[Item]:
        """Yields items that are a part each, as their turn comes.

        Args:
            items: The items.
            text: What is done with one.

        Yields:
            Them.
        """
        for item in items:
            self.begin(text(item))
            yield item


@contextlib.contextmanager
def shown(handler: logging.Handler) -> Iterator[None]:
    """Gives a handler, and no other, what is logged meanwhile.

    What a library has set up for the root logger would show it a second time.

    Args:
        handler: A `logging.Handler`.
    """
    level, propagate, others = LOGGER.level, LOGGER.propagate, LOGGER.handlers
    LOGGER.handlers = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    try:
        yield
    finally:
        LOGGER.propagate = propagate
        LOGGER.setLevel(level)
        LOGGER.handlers = others
