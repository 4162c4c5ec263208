"""Measures baselines interleaved, each in its own process, only one running at a time.

On a machine with other load, two measurements that are minutes apart cannot be
compared. Here all baselines are prepared first. In each round they run one after the
other, for a second or two each, so that after a few rounds all have had the same
disturbances.

Parent and child exchange JSON, one object per line, over the child's standard input and
output: `load` (imports), `prepare` (builds, and runs the first step) and `run_steps`
(runs steps for some seconds and returns the time of each). A child is a module that
calls `serve`.
"""

import json
import math
import os
import pathlib
import selectors
import statistics
import subprocess
import sys
import tempfile
import time
import traceback

from benchmarks import machine

_ROOT = pathlib.Path(__file__).parents[1]
_PROC = pathlib.Path("/proc/self")
_PAUSE = 0.2  # seconds until the thread pools of the previous baseline are idle


class Worker:
    """The process of one baseline, as the parent sees it.

    Args:
        module: Name of the module that the child runs, which calls `serve`.
        settings: Dict of keyword arguments for the child's `load`.
        environment: Dict of variables to add to the child's environment.
        timeout: Seconds to wait for a reply.
        python: Path of the child's Python, by default that of the parent.
    """

    def __init__(
        self, module, settings, environment=None, timeout=900, python=sys.executable
    ):
        self.timeout = timeout
        self.messages = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [python, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.messages,
            cwd=_ROOT,
            env=os.environ | (environment or {}),
            text=True,
        )
        self.send("load", **settings)

    def send(self, command, **arguments):
        """Sends a command; `receive` returns the reply."""
        try:
            print(json.dumps([command, arguments]), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # `receive` reports why the child has ended

    def receive(self):
        """Waits for the reply.

        Raises:
            RuntimeError: If the child failed, ended or took too long.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(self.timeout):
                self.process.kill()
                raise RuntimeError(f"no reply within {self.timeout} seconds")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(
                f"ended with code {self.process.returncode}: {self._last_message()}"
            )
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply

    def ask(self, command, **arguments):
        """Sends a command and waits for the reply."""
        self.send(command, **arguments)
        return self.receive()

    def close(self):
        """Ends the child."""
        self.process.kill()
        self.process.communicate()
        self.messages.close()

    def _last_message(self):
        self.messages.seek(0)
        lines = self.messages.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"


def measure(workers, num_rounds, seconds, close=True, together=False):
    """Prepares workers one after the other, then runs them interleaved.

    Args:
        workers: Dict from name to `Worker`, which was sent `load`.
        num_rounds: Number of rounds.
        seconds: Seconds per baseline in each round.
        close: Whether the workers are closed at the end.
        together: Whether all are prepared at once, where nobody asks how long the first
            step takes.

    Returns:
        Dict from name to result: `median_ms`, `quartiles_ms`, `fastest_ms` of a step,
        `num_steps`, `first_step_seconds` (including building and compiling),
        `peak_mib`, `first_loss`, `last_loss`, `busy_cores` (cores that other processes
        kept busy before its rounds), and what `load` returned; or only `error`.
    """
    results = {name: {} for name in workers}
    times = {name: [] for name in workers}
    busy = {name: [] for name in workers}

    def attempt(name, action):
        if "error" in results[name]:
            return
        try:
            results[name] |= action(name)
        except RuntimeError as error:
            results[name] = {"error": str(error)}

    def run_round(name):
        busy[name].append(_busy_cores_in_a_pause())
        reply = workers[name].ask("run_steps", seconds=seconds)
        times[name].extend(reply.pop("seconds"))
        return reply

    try:
        for name in workers:
            attempt(name, lambda name: workers[name].receive())  # all load at once
        if together:
            for worker in workers.values():
                worker.send("prepare")
        for name in workers:
            if not together:
                workers[name].send("prepare")
            attempt(name, lambda name: workers[name].receive())
        for _ in range(num_rounds):
            for name in workers:
                attempt(name, run_round)
        for name in workers:
            attempt(name, lambda name: _summary(results[name], times[name], busy[name]))
    finally:
        for worker in workers.values() if close else ():
            worker.close()
    return results


def _busy_cores_in_a_pause():
    before, start = machine.busy_seconds(), time.perf_counter()
    time.sleep(_PAUSE)
    if before is None:
        return 0.0
    return (machine.busy_seconds() - before) / (time.perf_counter() - start)


def _summary(result, seconds, busy_cores):
    steps = result.get("steps_per_call", 1)
    milliseconds = [1e3 * s / steps for s in seconds]
    low, median, high = statistics.quantiles(milliseconds, n=4)
    return {
        "median_ms": median,
        "quartiles_ms": [low, high],
        "fastest_ms": min(milliseconds),
        "num_steps": steps * len(seconds),
        "busy_cores": statistics.mean(busy_cores),
    }


def serve(load):
    """Runs the child: replies to commands until its standard input ends.

    Args:
        load: Callable that takes the parent's settings, imports what is needed and
            returns `(prepare, facts)`: a callable that builds everything and returns
            `step`, and a dict for the result, to which it may add. `step` runs one
            step, or as many as the dict's `steps_per_call`, waits for them and returns
            the loss, a float.
    """
    # Standard output is for replies alone; what libraries print goes to the errors.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    child = _Child(load)
    for line in sys.stdin:
        command, arguments = json.loads(line)
        try:
            reply = getattr(child, command)(**arguments)
        except Exception as error:
            traceback.print_exc()
            text = str(error).strip() or "no message"
            reply = {"error": f"{type(error).__name__}: {text.splitlines()[0]}"}
        print(json.dumps(reply), file=replies, flush=True)


class _Child:
    """The commands of a child."""

    def __init__(self, load):
        self._load = load

    def load(self, **settings):
        self._step = None  # frees the memory of an earlier model
        self._prepare, self._facts = self._load(**settings)
        return self._facts

    def prepare(self):
        self._before = _start_peak_mib()
        start = time.perf_counter()
        self._step = self._prepare()
        loss = self._checked_step()
        seconds = time.perf_counter() - start
        measured = {"first_step_seconds": seconds, "first_loss": loss}
        return self._facts | measured | self._memory()

    def run_steps(self, seconds):
        times, end = [], time.perf_counter() + seconds
        while len(times) < 2 or time.perf_counter() < end:
            start = time.perf_counter()
            loss = self._checked_step()
            times.append(time.perf_counter() - start)
        return {"seconds": times, "last_loss": loss} | self._memory()

    def _checked_step(self):
        loss = self._step()
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss}")
        return loss

    def _memory(self):
        peak = _status_mib("VmHWM:")
        return {"peak_mib": None if peak is None else peak - self._before}


def _start_peak_mib():
    """Resets the peak if the system allows it, and returns the memory in use."""
    try:
        (_PROC / "clear_refs").write_text("5")
    except OSError:
        pass
    return _status_mib("VmRSS:")


def _status_mib(key):
    try:
        lines = (_PROC / "status").read_text().splitlines()
    except OSError:
        return None
    values = [int(line.split()[1]) for line in lines if line.startswith(key)]
    return values[0] / 1024 if values else None
