"""Export of any `keras.Model` to a SavedModel and to a builtin-only TFLite file.

`export_model` does the whole job. The modules it is made of can be used alone:
`audit` (what a TFLite file holds) needs neither Keras nor TensorFlow, `twin` builds
the float32 model to export.
"""

import importlib

_MODULES = ("audit", "twin")
_NEED_TENSORFLOW = ("twin", "exporter")

__all__ = ["audit", "export_model", "twin"]


def __getattr__(name):
    if name == "export_model":
        return _load("exporter").export_model
    if name in _MODULES:
        return _load(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)


def _load(name):
    if name in _NEED_TENSORFLOW:
        importlib.import_module(f"{__name__}.backend").require_tensorflow()
    return importlib.import_module(f"{__name__}.{name}")
