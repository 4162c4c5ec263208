import ctypes
import platform
import subprocess
import sys
from unittest import mock

import pytest

from kerasseq import training

# Pages that the system hands out while a block of 64 MiB is filled a second time.
COUNT_PAGES = """
import resource, sys
from kerasseq.training._keep_freed_memory import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    b"1" * (1 << 26)
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(pages)
"""


def pages_again(mode):
    command = [sys.executable, "-c", COUNT_PAGES, mode]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="is about glibc")
def test_a_freed_block_is_used_again():
    assert pages_again("keep") < 100
    assert pages_again("as it is") > 10_000


def test_a_c_library_without_the_call(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert training.keep_freed_memory() is False


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_no_c_library(monkeypatch, error):
    monkeypatch.setattr(ctypes, "CDLL", mock.Mock(side_effect=error))
    assert training.keep_freed_memory() is False
