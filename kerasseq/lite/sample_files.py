"""Inputs of signatures in a file, to hand them to a child process."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

Samples = Mapping[str, Sequence[Mapping[str, np.ndarray]]]


def write(path: str | os.PathLike[str], samples: Samples) -> None:
    """Writes samples to a file for a child process.

    Args:
        path: Path of the `.npz` file.
        samples: `{signature name: [{input name: array}]}`.
    """
    arrays = {
        f"{name}/{index}/{key}": value
        for name, rows in samples.items()
        for index, row in enumerate(rows)
        for key, value in row.items()
    }
    np.savez(path, **arrays)  # type: ignore[arg-type]


def read(path: str | os.PathLike[str]) -> dict[str, list[dict[str, np.ndarray]]]:
    """Reads what `write` wrote.

    Args:
        path: Path of the `.npz` file.

    Returns:
        `{signature name: [{input name: array}]}`.
    """
    samples: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    with np.load(path) as arrays:
        for entry in arrays.files:
            name, index, key = entry.split("/", 2)
            samples.setdefault(name, {}).setdefault(index, {})[key] = arrays[entry]
    return {name: list(rows.values()) for name, rows in samples.items()}
