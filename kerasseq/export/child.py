"""Runs a module of this package in a fresh Python process."""

import os
import pathlib
import subprocess
import sys

_TAIL_LINES = 20
_PACKAGE_PARENT = str(pathlib.Path(__file__).resolve().parents[2])


def run(module, arguments, seconds=None):
    """Runs `python -m module arguments...` and waits for it.

    Args:
        module: Full name of the module.
        arguments: Command line arguments.
        seconds: Time after which the child is killed; `None` waits for ever.

    Returns:
        A `subprocess.CompletedProcess` with the captured text of both streams. The
        child sees no GPU: it must not take the memory of the one in use.

    Raises:
        subprocess.TimeoutExpired: If the child was killed; holds what it wrote.
    """
    path = [_PACKAGE_PARENT, os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds,
    )


def check(result, what):
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
    if result.returncode < 0:
        how = f"was killed by signal {-result.returncode}"
    tail = "\n".join(result.stderr.strip().splitlines()[-_TAIL_LINES:])
    raise RuntimeError(f"{what} {how}. The end of its standard error:\n{tail}")
