"""Python processes on JAX, which keep what they compile for those after them."""

import os
import pathlib
import subprocess
import sys

from kerasseq.commands.export import QUICK_TO_COMPILE

ROOT = pathlib.Path(__file__).parent.parent


def environment(**variables):
    """The variables of such a process; each worker of the suite has a cache."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    return os.environ | {
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": str(ROOT),
        "XLA_FLAGS": " ".join([os.environ.get("XLA_FLAGS", ""), *QUICK_TO_COMPILE]),
        "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".pytest_cache" / "jax" / worker),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        **variables,
    }


def run(*command, python=sys.executable, timeout=900, **variables):
    """Runs Python in the root of the repository; returns the completed process."""
    return subprocess.run(
        [str(python), *map(str, command)],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
    )


def without(*names):
    """A program after which these packages cannot be imported."""
    return f"NAMES = {names}" + _BLOCK


# Not `sys.modules["tensorflow"] = None`: Keras looks whether the name is there.
_BLOCK = """
import importlib.util
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name in NAMES:
            raise ModuleNotFoundError(f"{name} is blocked here", name=name)

def find_spec(name, package=None, find=importlib.util.find_spec):
    return None if name in NAMES else find(name, package)

sys.meta_path.insert(0, Block())
importlib.util.find_spec = find_spec
"""
WITHOUT_TENSORFLOW = without("tensorflow")
