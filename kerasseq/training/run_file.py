"""The files of a training run, its state and its history, written atomically."""

import csv
import io
import json
import pathlib
import zipfile
import zlib

import numpy as np

from kerasseq.utils import atomic, stages

_FORMAT = 1
_LISTS = ("variables", "best_weights", "checkpoints", "metrics")
_DAMAGE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)


def write(path, contents, keep=1):
    """Writes a dictionary of JSON values and lists of arrays (`_LISTS`) to `path`.

    Args:
        path: The file, a `pathlib.Path`. There is one at any time.
        contents: The dictionary.
        keep: How many states there may be, with this one; see `earlier`.
    """
    meta = {name: value for name, value in contents.items() if name not in _LISTS}
    arrays = {}
    for name in _LISTS:
        values = contents.get(name)
        meta[name] = None if values is None else len(values)
        for index, value in enumerate(values or []):
            arrays[f"{name}_{index:05d}"] = _storable(value)
    meta["format"] = _FORMAT
    buffer = io.BytesIO()
    np.savez(buffer, meta=np.array(json.dumps(meta)), **arrays)
    _keep_earlier(path, keep)
    with atomic.replace_file(path, "wb") as file:
        file.write(buffer.getbuffer())


def earlier(path, index):
    """Where the state that was saved so many times before lies: `state.1.npz`."""
    return path.with_name(f"{path.stem}.{index}{path.suffix}") if index else path


def read_last(path, keep):
    """Reads the last state that is not damaged; `None` if there is none at all.

    Raises:
        ValueError: If all are damaged.
    """
    paths = [earlier(path, index) for index in range(keep)]
    first = None
    for place in filter(pathlib.Path.exists, paths):
        try:
            saved = read(place)
        except ValueError as error:
            first = first or error
        else:
            if first:
                stages.LOGGER.warning("%s is damaged; resuming from %s", path, place)
                place.replace(path)  # or the next to be saved would take its place
            return saved
    if first:
        raise first
    return None


def read(path):
    """Reads what `write` wrote; `ValueError` if the file is damaged."""
    try:
        return _read(path)
    except _DAMAGE as error:
        raise ValueError(
            f"{path} is damaged or not the state of a run. Remove it and start "
            f"again. Received: {type(error).__name__}: {error}"
        ) from error


def write_history(path, rows):
    """Writes rows as CSV: the column `epoch` first, then all others by name."""
    names = sorted({name for row in rows for name in row} - {"epoch"})
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["epoch", *names], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic.replace_file(path) as file:
        file.write(text.getvalue())


def check_fingerprint(path, saved, current):
    """Raises `ValueError` with the settings that differ, old and new values."""
    changes = []
    for name in sorted(saved.keys() | current.keys()):
        old, new = saved.get(name, "nothing"), current.get(name, "nothing")
        if old != new:
            changes.append(f"{name}: {old!r} -> {new!r}")
    if changes:
        raise ValueError(
            f"{path} belongs to a run with other settings (saved -> received): "
            f"{', '.join(changes)}. Resume with the saved settings, or start again."
        )


def as_json(fingerprint):
    """The fingerprint as the file returns it: tuples become lists."""
    try:
        return json.loads(json.dumps(fingerprint))
    except TypeError as error:
        raise ValueError(
            "`fingerprint` must hold JSON types only: numbers, strings, booleans, "
            f"lists, dictionaries. Received: fingerprint={fingerprint}"
        ) from error


def _keep_earlier(path, keep):
    """Gives the states their next names; that of `path` keeps its own, too."""
    for index in range(keep - 1, 1, -1):
        if earlier(path, index - 1).exists():
            earlier(path, index - 1).replace(earlier(path, index))
    if keep > 1 and path.exists():
        with atomic.replace_file(earlier(path, 1), "wb") as file:
            file.write(path.read_bytes())


def _read(path):
    data = io.BytesIO(pathlib.Path(path).read_bytes())
    with np.load(data, allow_pickle=False) as arrays:
        contents = json.loads(str(arrays["meta"]))
        if contents.pop("format") != _FORMAT:
            raise ValueError("the file has another format")
        for name in _LISTS:
            if contents.setdefault(name, None) is not None:
                count = range(contents[name])
                contents[name] = [arrays[f"{name}_{index:05d}"] for index in count]
    contents.setdefault("step", 0)  # files of earlier versions are of whole epochs
    return contents


def _storable(value):
    """float32 for bfloat16 and other types that NumPy files cannot store."""
    value = np.asarray(value)
    return value.astype("float32") if value.dtype.kind == "V" else value
