"""Child processes that crash, hang or refuse."""

import pytest

from kerasseq.utils import child_process


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that the child can run; returns its name."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(text):
        (tmp_path / "noisy.py").write_text(text)
        return "noisy"

    return write


def test_a_hang_ends_and_shows_the_last_output(module):
    text = "import sys, time\nprint('node 7', file=sys.stderr, flush=True)\n"
    result = child_process.run(module(text + "time.sleep(60)"), [], time_limit=1.0)
    with pytest.raises(RuntimeError, match="(?s)not end within `time_limit`.*node 7"):
        child_process.check(result, "The conversion")


def test_a_crash_shows_signal_and_last_output(module):
    text = "import os, sys\nprint('node 8', file=sys.stderr, flush=True)\nos.abort()"
    result = child_process.run(module(text), [])
    with pytest.raises(RuntimeError, match="(?s)The job was .* signal 6.*node 8"):
        child_process.check(result, "The job")


def test_a_good_end(module):
    result = child_process.run(module("print('done')"), [], time_limit=60)
    child_process.check(result, "The job")
    assert result.stdout == "done\n"
