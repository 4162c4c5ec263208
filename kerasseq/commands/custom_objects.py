"""Classes and functions of the user, named on the command line with `--custom`."""

import argparse
import importlib
import os
import sys
from collections.abc import Iterable
from typing import Any


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--custom` to a parser."""
    parser.add_argument(
        "--custom",
        action="append",
        default=[],
        metavar="MODULE[:NAME]",
        help="a class or function of yours that the model uses, or a module that "
        "registers them with Keras; repeatable",
    )


def load(entries: Iterable[str]) -> dict[str, Any]:
    """Imports what `--custom` names.

    Args:
        entries: `MODULE:NAME`, or `MODULE` for all that it registers with
            `keras.saving.register_keras_serializable`.

    Returns:
        A dict from names to objects.

    Raises:
        ValueError: If there is no such module or object.
    """
    found: dict[str, Any] = {}
    for entry in entries:
        module, _, name = entry.partition(":")
        found |= {name: find(entry)} if name else _registered(find(module))
    return found


def find(entry: str) -> Any:
    """The object `MODULE:NAME`, or the module `MODULE`.

    Modules of the working directory are found too, however the command is started.

    Raises:
        ValueError: If there is none.
    """
    module, _, name = entry.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        imported = importlib.import_module(module)
        return getattr(imported, name) if name else imported
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            "Name your own code as `package.module:name`, in a module that Python "
            f"finds. Received: {entry} ({error})"
        ) from error


def _registered(module):
    import keras

    registered = keras.saving.get_custom_objects().items()
    own = module.__name__
    return {
        key.rpartition(">")[2]: value
        for key, value in registered
        if value.__module__ == own or value.__module__.startswith(f"{own}.")
    }
