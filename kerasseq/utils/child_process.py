"""Runs a module of this package in a fresh Python process."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

_TAIL_LINES = 20
_PACKAGE_PARENT = str(pathlib.Path(__file__).resolve().parents[2])


def run(
    module: str, arguments: Iterable[Any], time_limit: float | None = None
) -> subprocess.CompletedProcess:
    """Runs `python -m module arguments...` and waits for it.

    Args:
        module: Full name of the module.
        arguments: Command line arguments.
        time_limit: Seconds after which the child is ended; `None` for no limit.

    Returns:
        A `subprocess.CompletedProcess` with the captured text of both streams;
        `returncode` is `None` if the child was ended. The child sees no GPU, so that
        it does not take the memory of the one in use.
    """
    path = [_PACKAGE_PARENT, os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    command = [sys.executable, "-m", module, *map(str, arguments)]
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
