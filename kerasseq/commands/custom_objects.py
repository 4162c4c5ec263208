"""Classes and functions of the user that a command is told of by name."""

import importlib
import os
import sys


def add_argument(parser):
    """Adds `--custom` to a parser."""
    parser.add_argument(
        "--custom",
        action="append",
        default=[],
        metavar="MODULE[:NAME]",
        help="a class or function of yours that the model uses, or a module that "
        "registers them with Keras; repeatable",
    )


def load(entries):
    """Imports what `--custom` names.

    Args:
        entries: `MODULE:NAME`, or `MODULE` for all that it registers with
            `keras.saving.register_keras_serializable`.

    Returns:
        A dict from names to objects.

    Raises:
        ValueError: If there is no such module or object.
    """
    found = {}
    for entry in entries:
        module, _, name = entry.partition(":")
        found |= {name: find(entry)} if name else _registered(find(module))
    return found


def find(entry):
    """The object `MODULE:NAME`, or the module `MODULE`.

    Modules of the working directory are found too, whatever the command is run with.

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
            "Name code of yours as `package.module:name`, in a module that Python "
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
