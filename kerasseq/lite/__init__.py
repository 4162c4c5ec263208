"""What runs on the device: exported files, with NumPy and LiteRT alone.

Nothing here imports Keras or TensorFlow.
"""

import importlib
from typing import Any

_MODULES = {
    "Forecaster": "_forecaster",
    "Captioner": "_captioner",
    "ImageClassifier": "_image_classifier",
    "ImageSegmenter": "_image_segmenter",
    "Runner": "_runner",
    "StatefulRunner": "_stateful_runner",
    "Tagger": "_tagger",
    "TextClassifier": "_text_classifier",
    "TextGenerator": "_text_generator",
    "Translator": "_translator",
    "check_file": "_runner",
    "conform": "_inputs",
}
_SUBMODULES = (
    "audit",
    "benchmark",
    "calendar",
    "flatbuffer",
    "gpu_rules",
    "micro_rules",
    "packed_files",
    "sample_files",
    "tiling",
)

__all__ = [*_MODULES, *_SUBMODULES]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
