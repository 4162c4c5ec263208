"""Inputs of signatures from what a user has: files, arrays, data pipelines."""

import itertools
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasseq.export import samples as samples_lib

_MAX_ROWS = 200  # of an endless pipeline


def from_data(
    signatures: Mapping[str, samples_lib.HasSpecs],
    data: Any,
    argument: str,
    max_rows: int = _MAX_ROWS,
) -> samples_lib.Samples:
    """Splits data into inputs of signatures.

    Args:
        signatures: `{name: Signature}`.
        data: One of
            - `{signature name: [{input name: array}]}`, taken as it is;
            - a dict of arrays by input name, whose first axis counts rows, or by
              `signature/input` where there are several signatures;
            - the path of an `.npz` file with such arrays;
            - for a single signature an iterable of batches: a `tf.data.Dataset`, a
              `keras.utils.PyDataset`, a list. A batch is a dict by input name, an
              array, a list of arrays in the order of the inputs, or a tuple of these
              and targets, as `fit` takes it.
        argument: How error messages name the data.
        max_rows: How many rows to take at most; the first form is taken whole.

    Returns:
        `{signature name: [{input name: array}]}`; each array has the batch size of its
        signature.

    Raises:
        ValueError: If the data cannot be read or does not say which input it is for.
    """
    if isinstance(data, (str, os.PathLike)):
        data = _read(data, argument)
    if not isinstance(data, dict):
        name = _only(signatures, data, argument)
        batches = _batches(data, list(signatures[name].specs))
        return {name: _first_rows(signatures[name], batches, argument, max_rows)}
    if all(isinstance(value, (list, tuple)) for value in data.values()):
        return {name: list(samples) for name, samples in data.items()}
    grouped: dict[str, samples_lib.Arrays] = {}
    for key, value in data.items():
        signature, _, name = key.rpartition("/")
        signature = signature or _only(signatures, data, argument)
        grouped.setdefault(signature, {})[name] = np.asarray(value)
    unknown = sorted(set(grouped) - set(signatures))
    if unknown:
        raise ValueError(
            f"`{argument}` must name signatures of {list(signatures)}. "
            f"Received: {unknown}"
        )
    return {
        name: _first_rows(signatures[name], [arrays], argument, max_rows)
        for name, arrays in grouped.items()
    }


def _read(path, argument):
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(
            f"`{argument}` must be an .npz file of arrays, one by the name of each "
            "input, as `np.savez(path, x=rows)` writes it. Received: "
            f"{os.fspath(path)!r} ({error})"
        ) from error


def _only(signatures, data, argument):
    if len(signatures) == 1:
        return next(iter(signatures))
    raise ValueError(
        f"With several signatures `{argument}` must say which one each array is for: a "
        "dict `{signature: [{input name: array}]}`, or arrays named "
        f"`signature/input`, for {list(signatures)}. "
        f"Received: a {type(data).__name__}"
    )


def _batches(data, names):
    """Dicts of arrays by input name, one per batch."""
    indexed = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    batches = (data[i] for i in range(len(data))) if indexed else iter(data)
    for batch in batches:
        inputs = batch[0] if isinstance(batch, tuple) else batch
        if not isinstance(inputs, dict):
            arrays = inputs if isinstance(inputs, (list, tuple)) else [inputs]
            inputs = dict(zip(names, arrays, strict=False))
        yield {name: np.asarray(value) for name, value in inputs.items()}


def _first_rows(signature, batches, argument, max_rows):
    """The first rows, as inputs of the signature's batch size."""
    sizes = {shape[0] for shape, _ in signature.specs.values() if shape}
    size = min(sizes, default=1)
    rows = itertools.islice(_rows(batches, size, argument), max(max_rows // size, 1))
    return list(rows)


def _rows(batches, size, argument):
    for arrays in batches:
        lengths = {len(array) for array in arrays.values() if array.ndim}
        if len(lengths) != 1:
            raise ValueError(
                f"The arrays of `{argument}` must have the same number of rows. "
                f"Received: { {name: array.shape for name, array in arrays.items()} }"
            )
        for start in range(0, lengths.pop() - size + 1, size):
            yield {name: array[start : start + size] for name, array in arrays.items()}
