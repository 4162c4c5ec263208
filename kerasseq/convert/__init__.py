"""Models from elsewhere become kerasseq models; those of stock layers also go back.

What is public here is imported on first use: Keras 2 files need h5py, a Vision
Transformer of KerasHub and a checkpoint need `kerasseq.models`, an export none of it.
"""

import importlib
from typing import Any

_FUNCTIONS = {
    "from_checkpoint": "checkpoints.importer",
    "from_keras": "stock",
    "from_keras_hub_vit": "keras_hub_vit",
    "import_keras2": "keras2.importer",
    "to_keras": "stock",
    "unfused_layers": "fusing",
}
_MODULES = ("class_mapping", "cloning", "output_comparison")

__all__ = [*_FUNCTIONS, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        module = importlib.import_module(f"{__name__}.{_FUNCTIONS[name]}")
        return getattr(module, name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
