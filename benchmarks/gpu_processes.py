"""The child processes of `gpu`, which share one card."""

import os
import tempfile
import time

from benchmarks import interleaved

_VARIABLES = {
    "KERAS_BACKEND": "jax",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # or the first takes the whole card
}


class Processes:
    """Children that stay from row to row: on a GPU a start takes seconds.

    Args:
        seconds: How long all may take.
        environment: Dict of variables of all.
    """

    def __init__(self, seconds, environment):
        self._deadline = time.monotonic() + seconds
        self._workers = {}
        self._cache = tempfile.TemporaryDirectory()
        # What XLA tunes for one child, the others find here.
        cache = {"JAX_COMPILATION_CACHE_DIR": self._cache.name}
        self._environment = cache | os.environ | _VARIABLES | environment

    def seconds_left(self):
        """Seconds until the time is over."""
        return self._deadline - time.monotonic()

    def load(self, name, module, settings, xla_flags=""):
        """Sends `load` to a child, started if need be, and returns its `Worker`.

        Args:
            name: Name of the child.
            module: Name of the module that it runs.
            settings: Dict of the keyword arguments of its `load`.
            xla_flags: What to add to the variable `XLA_FLAGS`.
        """
        timeout = max(1, self.seconds_left())
        if name in self._workers:
            worker = self._workers[name]
            worker.timeout = timeout
            worker.send("load", **settings)
            return worker
        xla_flags = f"{self._environment.get('XLA_FLAGS', '')} {xla_flags}".strip()
        environment = self._environment | {"XLA_FLAGS": xla_flags}
        worker = interleaved.Worker(module, settings, environment, timeout)
        self._workers[name] = worker
        return worker

    def drop(self, name):
        """Ends a child, if there is one; after a failure its GPU may refuse it."""
        if name in self._workers:
            self._workers.pop(name).close()

    def close(self):
        """Ends all children."""
        for name in list(self._workers):
            self.drop(name)
        self._cache.cleanup()
