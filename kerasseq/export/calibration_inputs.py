"""Inputs of signatures out of what a user has: files, arrays, data pipelines."""

import itertools
import os

import numpy as np

_MOST = 200  # of a pipeline without end


def from_data(signatures, data, argument, most=_MOST):
    """Cuts data into inputs of signatures.

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
        most: Rows to take at most, but of the first form.

    Returns:
        `{signature name: [{input name: array}]}`; each array has the batch size of its
        signature.

    Raises:
        ValueError: If the data cannot be read or do not say which input they are for.
    """
    if isinstance(data, (str, os.PathLike)):
        data = _read(data, argument)
    if not isinstance(data, dict):
        signature = _only(signatures, data, argument)
        batches = _batches(data, list(signatures[signature].specs))
        return {signature: _taken(signatures[signature], batches, argument, most)}
    if all(isinstance(value, (list, tuple)) for value in data.values()):
        return {name: list(cases) for name, cases in data.items()}
    grouped = {}
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
        name: _taken(signatures[name], [arrays], argument, most)
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
    """Dicts of arrays by input name, one a batch."""
    indexed = hasattr(data, "__getitem__") and hasattr(data, "__len__")
    batches = (data[i] for i in range(len(data))) if indexed else iter(data)
    for batch in batches:
        inputs = batch[0] if isinstance(batch, tuple) else batch
        if not isinstance(inputs, dict):
            arrays = inputs if isinstance(inputs, (list, tuple)) else [inputs]
            inputs = dict(zip(names, arrays, strict=False))
        yield {name: np.asarray(value) for name, value in inputs.items()}


def _taken(signature, batches, argument, most):
    """The first rows, as inputs of the signature's batch size."""
    sizes = {shape[0] for shape, _ in signature.specs.values() if shape}
    size = min(sizes, default=1)
    rows = itertools.islice(_rows(batches, size, argument), max(most // size, 1))
    return list(rows)


def _rows(batches, size, argument):
    for arrays in batches:
        lengths = {len(array) for array in arrays.values() if array.ndim}
        if len(lengths) != 1:
            raise ValueError(
                f"The arrays of `{argument}` must have as many rows each. Received: "
                f"{ {name: array.shape for name, array in arrays.items()} }"
            )
        for start in range(0, lengths.pop() - size + 1, size):
            yield {name: array[start : start + size] for name, array in arrays.items()}
