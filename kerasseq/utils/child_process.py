"""Runs a module of this package in a Python process of its own."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from kerasseq.utils import fork_server

_TAIL_LINES = 20
_PACKAGE_PARENT = str(pathlib.Path(__file__).resolve().parents[2])


def run(
    module: str,
    arguments: Iterable[Any],
    time_limit: float | None = None,
    preload: Sequence[str] = (),
    **variables: str,
) -> subprocess.CompletedProcess:
    """Runs `python -m module arguments...` and waits for it.

    Args:
        module: Full name of the module.
        arguments: Command line arguments.
        time_limit: Seconds after which the child is ended; `None` for no limit.
        preload: Names of modules that take seconds to import. The child is then the
            fork of a process that has imported them, and that stays for the next one.
        **variables: Variables of its environment, beside those of this process.

    Returns:
        A `subprocess.CompletedProcess` with the captured text of both streams;
        `returncode` is `None` if the child was ended. The child sees no GPU, so that
        it does not take the memory of the one in use.
    """
    environment = {**_environment(), **variables}
    texts = [str(argument) for argument in arguments]
    if preload and fork_server.AVAILABLE:
        result = fork_server.run(preload, module, texts, environment, time_limit)
        if result is not None:
            return result
    command = [sys.executable, "-m", module, *texts]
    try:
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=time_limit,
        )
    except subprocess.TimeoutExpired as ended:  # holds bytes, in spite of `text`
        streams = [
            (text or b"").decode(errors="replace")
            for text in (ended.stdout, ended.stderr)
        ]
        status: Any = None  # it has no exit status of its own
        return subprocess.CompletedProcess(command, status, *streams)


def prepare(preload: Sequence[str]) -> None:
    """Starts to import what a later `run` has in `preload`, and does not wait.

    Args:
        preload: Names of modules.
    """
    if fork_server.AVAILABLE:
        fork_server.prepare(preload, _environment())


def check(result: subprocess.CompletedProcess, what: str) -> None:
    """Raises if a child failed.

    Args:
        result: What `run` returned.
        what: How the message names the job, e.g. `"The TFLite conversion"`.

    Raises:
        RuntimeError: With the signal or exit status, and the end of the child's
            standard error.
    """
    if result.returncode == 0:
        return
    how = f"ended with exit status {result.returncode}"
    if result.returncode is None:
        how = "did not end within `time_limit` and was ended"
    elif result.returncode < 0:
        how = f"was killed by signal {-result.returncode}"
    tail = "\n".join(result.stderr.strip().splitlines()[-_TAIL_LINES:])
    raise RuntimeError(f"{what} {how}. The end of its standard error:\n{tail}")


def _environment():
    path = [_PACKAGE_PARENT, os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
