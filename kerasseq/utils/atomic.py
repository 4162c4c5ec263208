"""Files and folders that appear whole or not at all.

Everything is written beside its destination, on the same file system, and renamed
into place when it is complete.
"""

import contextlib
import glob
import json
import math
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

Path = str | os.PathLike
_PARTIAL = "-partial-"
_MOVES = "moves.json"  # what `move_into` is about to rename


def check_output_dir(path: Path) -> pathlib.Path:
    """Checks that a folder can be written, before any long work.

    Missing parents are created; the folder itself is not.

    Args:
        path: Path of the folder.

    Returns:
        The absolute path as a `pathlib.Path`.

    Raises:
        ValueError: If the path is a file, or cannot be written.
    """
    path = pathlib.Path(os.path.abspath(os.fspath(path)))
    if path.exists() and not path.is_dir():
        raise ValueError(
            f"The output folder is a file; name a folder. Received: '{path}'"
        )
    with staging(path):
        pass
    if path.exists() and not os.access(path, os.W_OK):
        raise ValueError(f"The output folder cannot be written. Received: '{path}'")
    return path


@contextlib.contextmanager
def staging(output_dir: Path) -> Iterator[pathlib.Path]:
    """A temporary folder beside `output_dir`, removed at the end in any case.

    Args:
        output_dir: The folder the results are to go to; it need not exist.

    Yields:
        The path of the temporary folder, on the same file system.

    Raises:
        ValueError: If the folder cannot be created there.
    """
    output_dir = pathlib.Path(os.path.abspath(os.fspath(output_dir)))
    try:
        output_dir.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{output_dir.name}{_PARTIAL}"
        folder = tempfile.mkdtemp(prefix=prefix, dir=output_dir.parent)
    except OSError as error:
        raise ValueError(
            "The output folder cannot be written; name one in a folder you may write "
            f"to. Received: '{output_dir}' ({error})"
        ) from error
    try:
        yield pathlib.Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(path: Path, within: bool = False) -> None:
    """Removes what a killed process left of its work on a file or folder.

    If it was killed while it moved complete files into place, the rest of them follow.

    Args:
        path: Path of the file or folder. Nobody else may be writing it.
        within: Whether what was left of the folder's own files goes too.
    """
    path = pathlib.Path(os.path.abspath(os.fspath(path)))
    own = f".{glob.escape(path.name)}{_PARTIAL}*"
    nested = f".{own}{_PARTIAL}*"  # of an export into a temporary folder
    folders = [*path.parent.glob(own), *path.parent.glob(nested)]
    if within:
        folders += path.glob(f".*{_PARTIAL}*")
    for folder in folders:
        for moves in folder.glob(f"*/{_MOVES}"):
            _finish(json.loads(moves.read_text()), moves.parent, folder)
        shutil.rmtree(folder, ignore_errors=True)


def move_into(
    staging_dir: Path,
    output_dir: Path,
    names: Iterable[str],
    obsolete: Iterable[str] = (),
) -> None:
    """Renames complete files and folders into place, all of them or none.

    After a kill amid the renames `remove_leftovers` does the rest of them.

    Args:
        staging_dir: The folder that holds the new items, from `staging`.
        output_dir: Their destination; created if missing.
        names: Names of the items, in the order they are to appear.
        obsolete: Names of items of `output_dir` that go, if they are there.
    """
    staging_dir, output_dir = pathlib.Path(staging_dir), pathlib.Path(output_dir)
    created = not output_dir.exists()
    output_dir.mkdir(exist_ok=True)
    earlier = pathlib.Path(tempfile.mkdtemp(prefix="earlier-", dir=staging_dir))
    destination = os.path.relpath(output_dir, staging_dir)
    moves = {"to": destination, "names": [*names], "obsolete": [*obsolete]}
    write_json(earlier / _MOVES, moves)
    moved = []
    try:
        for name in moves["names"]:
            moved.append(name)
            _replace(output_dir / name, staging_dir / name, earlier / name)
        for name in moves["obsolete"]:
            moved.append(name)
            _set_aside(output_dir / name, earlier / name)
    except BaseException:
        for name in reversed(moved):
            _restore(earlier / name, output_dir / name, staging_dir / name)
        if created:
            output_dir.rmdir()
        raise


def write_json(path: Path, value: Any) -> Any:
    """Writes a value as a JSON file, whole or not at all.

    Args:
        path: Path of the file.
        value: What to write; see `plain` for what it may hold.

    Returns:
        The value as written, in plain Python types.
    """
    value = plain(value)
    with replace_file(path) as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    return value


@contextlib.contextmanager
def replace_file(path: Path, mode: str = "w") -> Iterator[IO]:
    """Opens a file that takes its name only when the block ends without an error.

    Args:
        path: Path of the file; an earlier one stays until the new one is complete.
        mode: `"w"` or `"wb"`.

    Yields:
        The open file.

    Example:

    ```python
    with atomic.replace_file("saved_models/tag/labels.txt") as file:
        file.write("\\n".join(labels))
    ```
    """
    path = pathlib.Path(path)
    encoding = None if "b" in mode else "utf-8"
    with staging(path) as folder:
        with open(folder / path.name, mode, encoding=encoding) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, folder / path.name)
        os.replace(folder / path.name, path)


@contextlib.contextmanager
def replace_folder(path: Path) -> Iterator[pathlib.Path]:
    """Fills a folder that takes its name only when the block ends without an error.

    Args:
        path: Path of the folder; an earlier one stays until the new one is complete.

    Yields:
        The path of a temporary folder to fill.

    Raises:
        ValueError: If the path is a file.
    """
    path = pathlib.Path(os.path.abspath(os.fspath(path)))
    if path.exists() and not path.is_dir():
        raise ValueError(
            f"A folder is to be written, and there is a file; name another place. "
            f"Received: '{path}'"
        )
    with staging(path) as folder:
        (folder / path.name).mkdir()
        yield folder / path.name
        move_into(folder, path.parent, [path.name])


def plain(value: Any, where: str = "the report") -> Any:
    """Turns a nested value into plain Python types that JSON can hold.

    Args:
        value: Dicts with string keys, lists, tuples, strings, numbers, `None`, NumPy
            scalars and arrays. A number that is not finite becomes `None`.
        where: How the error message names the value.

    Returns:
        The same in dicts, lists, strings, numbers, booleans and `None`.

    Raises:
        ValueError: If something else is found; the message says where.
    """
    if isinstance(value, dict):
        return {str(key): plain(v, f"{where}['{key}']") for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), where)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    raise ValueError(
        f"{where} holds what JSON cannot hold; pass numbers, strings, lists or dicts. "
        f"Received: {value!r} of type {type(value).__name__}"
    )


def _finish(moves, earlier, staging_dir):
    """Does what is left of the renames that a kill interrupted."""
    output_dir = staging_dir / moves["to"]
    for name in moves["names"]:
        if (staging_dir / name).exists():
            _replace(output_dir / name, staging_dir / name, earlier / name)
    for name in moves["obsolete"]:
        _set_aside(output_dir / name, earlier / name)


def _replace(place, new, backup):
    _set_aside(place, backup)
    os.rename(new, place)


def _set_aside(place, backup):
    if place.exists():
        os.rename(place, backup)


def _restore(backup, place, new):
    """Undoes one replacement; `new` takes back what had been put into `place`."""
    if place.exists() and not new.exists():
        os.rename(place, new)
    if backup.exists():
        os.rename(backup, place)
