"""A process that has imported what takes seconds, and forks for each job.

`python -m kerasseq.utils.fork_server tensorflow` is the server. It lives until its
parent ends or asks nothing of it for a minute, and so does no job outlive its parent.
"""

import atexit
import importlib
import json
import os
import pathlib
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from typing import IO, Any, cast

_SECONDS_IDLE = 60
AVAILABLE = sys.platform == "linux"  # a library may not survive a fork elsewhere


class ForkServer:
    """The side that asks.

    Args:
        modules: Names of the modules that the server imports at its start.
        environment: The environment of the server.
    """

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *modules],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the parent, which ends the server
        )
        self._questions = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)

    def run(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        time_limit: float | None,
    ) -> subprocess.CompletedProcess | None:
        """Runs `python -m module arguments...` in a fork of the server.

        Args:
            module: Full name of the module.
            arguments: Command line arguments.
            environment: The environment of the job.
            time_limit: Seconds after which the job is ended; `None` for no limit.

        Returns:
            As `child_process.run`, or `None` if the server has ended.
        """
        with tempfile.TemporaryDirectory() as folder:
            streams = [pathlib.Path(folder, name) for name in ("stdout", "stderr")]
            status = self._ask(
                {
                    "module": module,
                    "arguments": list(arguments),
                    "environment": dict(environment),
                    "folder": os.getcwd(),
                    "streams": [str(path) for path in streams],
                    "time_limit": time_limit,
                }
            )
            if status is None:
                return None
            texts = [path.read_text(errors="replace") for path in streams]
        return subprocess.CompletedProcess(
            [module, *arguments], status["returncode"], *texts
        )

    def close(self) -> None:
        """Ends the server, and the job that it runs."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._questions, self._answers):
            try:
                pipe.close()
            except BrokenPipeError:  # what was not sent when it ended
                pass

    def _ask(self, job: dict[str, Any]) -> dict[str, Any] | None:
        try:
            self._questions.write(json.dumps(job).encode() + b"\n")
            self._questions.flush()
            reply = self._answers.readline()
        except BrokenPipeError:
            reply = b""
        return json.loads(reply) if reply else None


_idle: dict[tuple, list[ForkServer]] = {}


def prepare(modules: Sequence[str], environment: Mapping[str, str]) -> None:
    """Starts a server for a later `run`, unless one is idle; does not wait for it.

    Args:
        modules: Names of the modules that the server imports.
        environment: Its environment.
    """
    servers = _idle_servers(modules, environment)
    if not servers:
        servers.append(ForkServer(modules, environment))


def run(
    modules: Sequence[str],
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    time_limit: float | None,
) -> subprocess.CompletedProcess | None:
    """Runs a job on an idle server with these modules, or on a new one.

    Args:
        modules: Names of the modules that the server has imported.
        module: As for `ForkServer.run`, and so are the other arguments.

    Returns:
        As `ForkServer.run`.
    """
    servers = _idle_servers(modules, environment)
    server = servers.pop() if servers else ForkServer(modules, environment)
    try:
        result = server.run(module, arguments, environment, time_limit)
    except BaseException:
        server.close()
        raise
    if result is None:
        server.close()
    else:
        servers.append(server)
    return result


def _idle_servers(modules, environment):
    # A server belongs to the process that started it, not to one forked from that.
    names = ("PYTHONPATH", "KERAS_BACKEND")
    key = (os.getpid(), *map(environment.get, names), *modules)
    return _idle.setdefault(key, [])


@atexit.register
def close_all() -> None:
    """Ends the idle servers of this process."""
    for (owner, *_), servers in _idle.items():
        while owner == os.getpid() and servers:
            servers.pop().close()


def _serve(modules):
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    for name in modules:
        importlib.import_module(name)
    while select.select([0], [], [], _SECONDS_IDLE)[0]:
        request = _read_line()
        if not request:
            return
        job = json.loads(request)
        pid = os.fork()
        if not pid:
            answers.close()
            _do(job)
        print(json.dumps({"returncode": _wait(pid, job["time_limit"])}), file=answers)
        answers.flush()


def _read_line():
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 1 << 16)
        if not part:
            return b""
        line += part
    return line


def _wait(pid, time_limit):
    """The exit status of a job; `None` if it took too long. Ends with the parent."""
    with os.fdopen(os.pidfd_open(pid)) as ended:
        ready = select.select([ended, 0], [], [], time_limit)[0]
        if ended not in ready:
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    if 0 in ready:  # there is one job at a time: nobody is there to read the answer
        sys.exit()
    return os.waitstatus_to_exitcode(status) if ready else None


def _do(job):
    """Runs a job in the fork, and ends it."""
    status = 1
    try:
        files = [os.open(path, os.O_WRONLY | os.O_CREAT) for path in job["streams"]]
        for number, file in enumerate([os.open(os.devnull, os.O_RDONLY), *files]):
            os.dup2(file, number)
        os.chdir(job["folder"])
        os.environ.clear()
        os.environ.update(job["environment"])
        sys.argv = [job["module"], *job["arguments"]]
        runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(bool(error.code))
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve(sys.argv[1:])
