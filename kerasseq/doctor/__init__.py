"""What is wrong with a TFLite file, for a CPU, a GPU, int8 or a microcontroller.

`examine` works on any file; what it looks into, a child process reads and loads, so
that a damaged file hurts nobody. Neither Keras nor TensorFlow is imported.
"""

import importlib
from typing import Any

__all__ = ["examine"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"{__name__}.examination").examine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
