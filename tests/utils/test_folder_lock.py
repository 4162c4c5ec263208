import os
import subprocess
import sys

import pytest

from kerasseq.utils import folder_lock

HOLD = """
import sys
from kerasseq.utils import folder_lock
with folder_lock.held(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_until_the_first_is_killed(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(ValueError, match=f"process \\({child.pid}\\) writes into"):
            with folder_lock.held(tmp_path):
                pass
        child.kill()
    with folder_lock.held(tmp_path):
        assert (tmp_path / folder_lock.NAME).read_text() == f"{os.getpid()}\n"


def test_it_is_free_again_after_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyError), folder_lock.held(tmp_path):
            raise KeyError
