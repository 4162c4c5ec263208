"""Export of any `keras.Model` to a SavedModel and to a builtin-only TFLite file.

`export_model` does the whole job, and `image_signature` says what it should export of
a model of images. The modules it is made of can be used alone: `audit` (what a TFLite
file holds) and `gpu_delegate` (what a phone's GPU takes of it) need neither Keras nor
TensorFlow, `twin` builds the float32 model to export.
"""

import importlib

_MODULES = ("audit", "gpu_delegate", "twin")
_NEED_TENSORFLOW = ("twin", "exporter")
_FUNCTIONS = {"export_model": "exporter", "image_signature": "image_signature"}

__all__ = ["audit", "export_model", "gpu_delegate", "image_signature", "twin"]


def __getattr__(name):
    if name in _FUNCTIONS:
        function = getattr(_load(_FUNCTIONS[name]), name)
        globals()[name] = function  # a module of this name would take its place
        return function
    if name in _MODULES:
        return _load(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)


def _load(name):
    if name in _NEED_TENSORFLOW:
        importlib.import_module(f"{__name__}.backend").require_tensorflow()
    return importlib.import_module(f"{__name__}.{name}")
