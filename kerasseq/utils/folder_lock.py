"""A lock that keeps two processes from writing into one folder."""

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # not POSIX
    fcntl = None

NAME = ".lock"


@contextlib.contextmanager
def held(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Holds the lock of a folder; it goes with the process, however that ends.

    The file `.lock` stays, with the number of the process that held it last. Where
    system or file system know no locks, nothing is locked.

    Args:
        folder: Path of an existing folder.

    Raises:
        ValueError: If another process holds it.
    """
    with open(pathlib.Path(folder, NAME), "a+", encoding="utf-8") as file:
        if not _locked(file):
            file.seek(0)
            raise ValueError(
                f"Another process ({file.read().strip() or 'unknown'}) writes into "
                f"'{folder}'; wait until it has ended, or name another folder"
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _locked(file):
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # the file system has no locks
        pass
    return True
