"""Sequence and vision models for Keras 3 that train under XLA and run on a phone.

Subpackages are imported on first use, so that `kerasseq.lite` costs neither Keras
nor TensorFlow, and layers and models work on the JAX backend without TensorFlow.
"""

import importlib

__version__ = "0.1.0"

_SUBMODULES = (
    "convert",
    "data",
    "decoding",
    "doctor",
    "explain",
    "export",
    "layers",
    "lite",
    "models",
    "ops",
    "training",
    "utils",
)


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"kerasseq.{name}")
    raise AttributeError(f"module 'kerasseq' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_SUBMODULES])
