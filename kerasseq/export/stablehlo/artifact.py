"""Functions from StableHLO artifacts that `jax.export` wrote."""

import os
import pathlib
from collections.abc import Callable
from typing import Any

import jax

from kerasseq.export import samples as samples_lib


def read(
    path: str | os.PathLike,
) -> tuple[Callable[..., dict[str, Any]], samples_lib.Specs]:
    """Reads an artifact.

    Inputs have the names of keyword arguments and of keys, positional ones are
    `args_0`, `args_1`, and outputs the names of keys, or `output_0`, `output_1`.

    Args:
        path: Path of a file with the bytes of `jax.export.Exported.serialize()`.

    Returns:
        `(function, specs)`: a function of one keyword tensor per input that returns a
        dict of tensors, and `{input name: (shape, dtype)}`.

    Raises:
        ValueError: If it is no such file, was exported for another device than a CPU,
            or has a size that is not fixed.
    """
    exported = _deserialized(pathlib.Path(path))
    if "cpu" not in exported.platforms:
        raise ValueError(
            "Export the function for a CPU, whose ops a phone's interpreter has: "
            "`jax.export.export(jax.jit(f), platforms=['cpu'])`. "
            f"Received: {os.fspath(path)!r} for {list(exported.platforms)}"
        )
    inputs = jax.tree_util.tree_unflatten(exported.in_tree, exported.in_avals)
    avals, _ = jax.tree_util.tree_flatten_with_path(inputs)
    specs = {}
    for key_path, aval in avals:
        name = _name(key_path[1:], "args")
        if not all(isinstance(size, int) for size in aval.shape):
            raise ValueError(
                "Mobile runtimes need static shapes; export the function with fixed "
                f"ones. Received: input '{name}' of shape {aval.shape}"
            )
        specs[name] = (tuple(aval.shape), str(aval.dtype))

    def function(**tensors):
        leaves = [tensors[name] for name in specs]
        args, kwargs = jax.tree_util.tree_unflatten(exported.in_tree, leaves)
        outputs = exported.call(*args, **kwargs)
        found, _ = jax.tree_util.tree_flatten_with_path(outputs)
        return {_name(key_path, "output"): value for key_path, value in found}

    return function, specs


def _deserialized(path):
    if not path.is_file():
        raise ValueError(f"There is no file at this path. Received: '{path}'")
    try:
        return jax.export.deserialize(bytearray(path.read_bytes()))
    except Exception as error:  # a broken flatbuffer raises anything
        raise ValueError(
            "The file is not what `jax.export.export(...)(...).serialize()` returns. "
            f"Received: '{path}' ({type(error).__name__}: {error})"
        ) from error


def _name(key_path, prefix):
    """The name of a leaf: of keys as they are, of places with a prefix."""
    parts = [str(getattr(key, "key", getattr(key, "name", ""))) for key in key_path]
    places = [str(getattr(key, "idx", "")) for key in key_path]
    named = [part or place for part, place in zip(parts, places, strict=True)]
    if not key_path:
        return f"{prefix}_0"
    return "_".join(named if parts[0] else [prefix, *named])
