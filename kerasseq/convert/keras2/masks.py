"""Masks go where they went in Keras 2.

Keras 3 passes them on through some layers that ended them, and merges them otherwise:
the mask of a sum is that of any of its inputs, and in Keras 2 that of all; products,
maxima and minima leave masked positions out, which Keras 2 did not.
"""

from typing import Any

import keras
from keras import ops

layers = keras.layers
# Keras 2 did not pass a mask on through these.
_ENDS = (layers.Identity, layers.Normalization, layers.Rescaling)
_MERGES = (
    layers.Add,
    layers.Average,
    layers.Concatenate,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.Subtract,
)
_OF_MASKED_VALUES = (layers.Maximum, layers.Minimum, layers.Multiply)
_READERS = (
    layers.AdditiveAttention,
    layers.Attention,
    layers.Bidirectional,
    layers.GlobalAveragePooling1D,
    layers.MultiHeadAttention,
    layers.RNN,
    layers.Softmax,
    layers.TimeDistributed,
)


def end_in(stack: list) -> bool:
    """Whether a mask would go on through one of these layers, unlike in Keras 2."""
    return any(isinstance(layer, _ENDS) for layer in stack)


def begin_in(stack: list) -> bool:
    """Whether one of these layers makes a mask."""
    return any(getattr(x, "mask_zero", hasattr(x, "mask_value")) for x in stack)


class Masks:
    """Follows the masks of a model while it is built.

    Args:
        nested: Whether the model is part of another, so that its inputs may have masks.
    """

    def __init__(self, nested: bool) -> None:
        self._nested = nested
        # Tensors that had a mask in Keras 2 and have none now.
        self._without: list[keras.KerasTensor] = []

    def call(
        self, layer: keras.layers.Layer, inputs: Any, kwargs: dict[str, Any]
    ) -> Any:
        """Calls a layer with the masks it had in Keras 2.

        Raises:
            ValueError: If it needs one that Keras 3 does not make.
        """
        tensors = keras.tree.flatten(inputs)
        lost = any(x is y for x in tensors for y in self._without)
        if lost and isinstance(layer, _READERS):
            raise ValueError(
                "it needs a mask that went through layers which merge masks in another "
                "way in Keras 3"
            )
        lost = lost and layer.supports_masking
        if isinstance(layer, _ENDS):
            inputs, lost = self._unmasked(inputs), False
        elif isinstance(layer, _MERGES) and self._merged_otherwise(layer, tensors):
            inputs, lost = keras.tree.map_structure(self._unmasked, inputs), True
        outputs = layer(inputs, **kwargs)
        if lost:
            self._without += keras.tree.flatten(outputs)
        return outputs

    def _unmasked(self, tensor):
        # An operation passes no mask on.
        masked = self._nested or _mask(tensor) is not None
        return ops.copy(tensor) if masked else tensor

    def _merged_otherwise(self, layer, tensors):
        found = [_mask(tensor) for tensor in tensors]
        if isinstance(layer, _OF_MASKED_VALUES):
            return self._nested or any(mask is not None for mask in found)
        return any(mask is not found[0] for mask in found)


def _mask(tensor):
    return getattr(tensor, "_keras_mask", None)
