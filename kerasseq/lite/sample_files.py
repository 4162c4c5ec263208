"""Inputs of signatures in a file, to hand them to a child process."""

import numpy as np


def write(path, samples):
    """Writes samples to a file for a child process.

    Args:
        path: Path of the `.npz` file.
        samples: `{signature name: [{input name: array}]}`.
    """
    arrays = {
        f"{name}/{index}/{key}": value
        for name, cases in samples.items()
        for index, case in enumerate(cases)
        for key, value in case.items()
    }
    np.savez(path, **arrays)


def read(path):
    """Reads what `write` wrote.

    Args:
        path: Path of the `.npz` file.

    Returns:
        `{signature name: [{input name: array}]}`.
    """
    samples = {}
    with np.load(path) as arrays:
        for entry in arrays.files:
            name, index, key = entry.split("/", 2)
            samples.setdefault(name, {}).setdefault(index, {})[key] = arrays[entry]
    return {name: list(cases.values()) for name, cases in samples.items()}
