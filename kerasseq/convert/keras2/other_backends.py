"""Kernels of Keras 2 on Theano or CNTK, where a convolution is not TensorFlow's.

Theano turns the kernel of a convolution around, CNTK and TensorFlow do not; see
`preprocess_weights_for_loading` of Keras 2.3.1. Its `depthwise_conv2d` for Theano turns
the kernel itself, so that these kernels are TensorFlow's.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from kerasseq.convert import cloning

_TENSORFLOW = (None, "tensorflow")
_KNOWN = (*_TENSORFLOW, "cntk", "theano")
_TURNED = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


def kernel_functions(
    model: keras.Model, backend: str | None, shapes: Mapping[int, tuple[int, ...]]
) -> dict[int, Any]:
    """Functions from a kernel of another backend to the one of TensorFlow.

    Args:
        model: The model with the variables.
        backend: The backend of Keras 2 that wrote the file.
        shapes: `{id of a variable: shape of its array}`.

    Returns:
        `{id of a variable: function of the array}`.
    """
    if backend != "theano":
        return {}
    kernels: list[Any] = []
    for layer in cloning.all_layers(model):
        if isinstance(layer, _TURNED):
            kernels.append(layer.kernel)
        elif hasattr(layer, "recurrent_kernel") and _windows(layer):
            kernels += [layer.kernel, layer.recurrent_kernel]
    # A kernel of another shape than in the file is refused by the name of its layer.
    return {id(k): turned for k in kernels if tuple(k.shape) == shapes.get(id(k))}


def turned(kernel: np.ndarray) -> np.ndarray:
    """Turns a kernel of shape `(*window, inputs, outputs)` around in its window."""
    return np.flip(kernel, tuple(range(kernel.ndim - 2)))


def unproven(model: keras.Model, backend: str | None) -> list[str]:
    """Names the layers that may compute something else than on their backend.

    Padding `"same"` of TensorFlow adds the odd row of zeros at the end, other backends
    add it at the beginning or on both sides.
    """
    if backend in _TENSORFLOW:
        return []
    layers = [layer for layer in cloning.all_layers(model) if _windows(layer)]
    if backend in _KNOWN:
        layers = [layer for layer in layers if _pads_unevenly(layer)]
    return [f"'{layer.name}' of class {type(layer).__name__}" for layer in layers]


def _pads_unevenly(layer):
    windows = _windows(layer)
    strides = np.ravel(getattr(layer, "strides", 1)).tolist()
    allowed = (1, 3) if hasattr(layer, "pool_size") else range(1, 999, 2)
    odd = all(size in allowed for size in windows)
    if hasattr(layer, "recurrent_kernel") and not odd:
        return True  # The state is always padded so.
    return layer.padding == "same" and (not odd or any(n != 1 for n in strides))


def _windows(layer):
    size = getattr(layer, "kernel_size", getattr(layer, "pool_size", ()))
    return np.ravel(size).tolist() if hasattr(layer, "padding") else []
