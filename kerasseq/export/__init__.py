"""Export of any `keras.Model` to a SavedModel and to a builtin-only TFLite file.

`export_model` does the whole job; `Float16`, `Dynamic`, `Int4` and `Int8` are what its
`quantize` takes, `image_signature` and
`tagging_signatures` make the signatures of models of images and of taggers, and
`twin` builds the float32 model to export.
"""

import importlib
from typing import Any

_FUNCTIONS = {
    "Dynamic": "quantize_options",
    "Float16": "quantize_options",
    "Int4": "quantize_options",
    "Int8": "quantize_options",
    "export_model": "exporter",
    "export_stablehlo": "exporter",
    "image_signature": "_image_signature",
    "tagging_signatures": "_tagging_signatures",
}
_MODULES = ("front_ends", "twin")

__all__ = [*_FUNCTIONS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return getattr(_load(_FUNCTIONS[name]), name)
    if name in _MODULES:
        return _load(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def _load(name):
    return importlib.import_module(f"{__name__}.{name}")
