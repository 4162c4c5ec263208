"""Child processes that crash, hang or refuse."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from kerasseq.utils import child_process

PRELOAD = ("json",)


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
    result = child_process.run(module(text + "time.sleep(60)"), [], time_limit=5.0)
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


def test_a_preloaded_job_is_as_a_fresh_process(module, monkeypatch, tmp_path):
    monkeypatch.setenv("SOME_NAME", "some value")
    monkeypatch.chdir(tmp_path)
    text = (
        "import os, sys, json\n"
        "print(__name__, sys.argv[1:], os.environ['SOME_NAME'], os.getcwd(), 'é')\n"
        "print('noise', file=sys.stderr)\nassert sys.stdin.read() == ''\nsys.exit(3)"
    )
    name = module(text)
    fresh = child_process.run(name, ["a", 1])
    warm = child_process.run(name, ["a", 1], preload=PRELOAD)
    for key in ("returncode", "stdout", "stderr"):
        assert getattr(warm, key) == getattr(fresh, key)


def test_preloaded_jobs_share_a_process_and_nothing_else(module):
    name = module(
        "import os, json\nprint(os.getppid(), hasattr(json, 'x'))\njson.x = 1"
    )
    first, second = (
        child_process.run(name, [], preload=PRELOAD).stdout.split() for _ in range(2)
    )
    assert first == second
    assert first[1] == "False"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import os, sys\nprint('node 8', file=sys.stderr)\nos.abort()", "signal 6"),
        ("raise KeyError('node 8')", "exit status 1"),
        ("import sys\nsys.exit('node 8')", "exit status 1"),
        ("print('node 8', file=__import__('sys').stderr)\nwhile True: pass", "not end"),
    ],
)
def test_a_preloaded_job_that_fails(module, text, message):
    result = child_process.run(module(text), [], 1.0, PRELOAD)
    with pytest.raises(RuntimeError, match=f"(?s){message}"):
        child_process.check(result, "The job")
    good = child_process.run(module("print('done')"), [], 60, PRELOAD)
    assert good.stdout == "done\n"


def test_a_server_that_has_ended_is_replaced(module):
    name = module("import os\nprint(os.getppid())")
    before = int(child_process.run(name, [], preload=PRELOAD).stdout)
    os.kill(before, signal.SIGKILL)
    child_process.run(name, [], preload=PRELOAD)
    assert int(child_process.run(name, [], preload=PRELOAD).stdout) != before


def test_a_prepared_server_is_used(module):
    name, preload = module("import os\nprint(os.getppid())"), ("decimal",)
    child_process.prepare(preload)
    child_process.prepare(preload)
    pids = {child_process.run(name, [], preload=preload).stdout for _ in range(2)}
    assert len(pids) == 1


def test_a_module_that_does_not_import_is_no_obstacle(module):
    result = child_process.run(module("print('done')"), [], preload=("no_such_module",))
    assert result.stdout == "done\n"


def test_no_job_outlives_its_parent(module, tmp_path):
    name = module(
        f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write("
        "str(os.getpid()))\ntime.sleep(600)"
    )
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from kerasseq.utils import child_process\n"
            f"child_process.run({name!r}, [], preload={PRELOAD})",
        ]
    )
    pid = _wait_for(lambda: (tmp_path / "pid").read_text())
    parent.kill()
    parent.wait()
    _wait_for(lambda: not pathlib.Path("/proc", pid).exists())


def _wait_for(condition):
    for _ in range(600):
        try:
            if value := condition():
                return value
        except FileNotFoundError:
            pass
        time.sleep(0.1)
    raise AssertionError("waited a minute in vain")
