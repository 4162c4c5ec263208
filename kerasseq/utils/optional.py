"""Packages that an extra of kerasseq brings, with an error that names the extra."""

import importlib
import types


def import_module(name: str, extra: str = "recipes") -> types.ModuleType:
    """Imports a module of a package that the core installation does not bring.

    Args:
        name: Full name of the module, as `"scipy.ndimage"`.
        extra: The extra of kerasseq that brings its package.

    Returns:
        The module.

    Raises:
        ImportError: If its package is not installed; the message says what to run.

    Example:
        >>> ndimage = optional.import_module("scipy.ndimage")
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != package:  # it is there, and lacks something itself
            raise
        raise ImportError(
            f"The package `{package}` is needed here and is not installed. "
            f'Run `pip install "kerasseq[{extra}]"`.',
            name=package,
        ) from error
