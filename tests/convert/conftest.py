import pathlib
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).with_name("write_keras2_files.py")


@pytest.fixture(scope="session")
def keras2_files(tmp_path_factory):
    """A folder of files that Keras 2 wrote, in another process."""
    folder = tmp_path_factory.mktemp("keras2")
    command = [sys.executable, str(SCRIPT), str(folder)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return folder
