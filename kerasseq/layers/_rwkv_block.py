"""What the blocks of RWKV-4 and RWKV-7 share."""

import keras
import numpy as np
from keras import ops

from kerasseq.layers import _arguments, _state_block

EPSILON = 1e-5  # of layer norms, as published


class RWKVBlock(_state_block.StateBlock):
    """Base of the blocks: norms and sizes.

    A subclass has `_mixes()`, which gives the sub-layers of the time mix and of the
    channel mix.
    """

    def _check_sizes(self):
        mlp_dim = 1 if self.mlp_dim is None else self.mlp_dim
        _arguments.check_positive(units=self.units, mlp_dim=mlp_dim)
        if not 0 <= self.depth <= 1:
            raise ValueError(
                "`depth` must be between 0, the first block of a stack, and 1. "
                f"Received: depth={self.depth}"
            )

    def build(self, inputs_shape):
        if inputs_shape[-1] != self.units:
            raise ValueError(
                "A block of RWKV is added to its inputs, which must have as many "
                f"features as it has units. Received: units={self.units}, inputs of "
                f"shape {tuple(inputs_shape)}; put a `Dense` layer before the stack"
            )
        shape = (None, None, self.units)
        norm = keras.layers.LayerNormalization
        options = {"epsilon": EPSILON, "dtype": self.dtype_policy}
        self.ln1, self.ln2 = norm(**options, name="ln1"), norm(**options, name="ln2")
        self.att, self.ffn = self._mixes()
        for layer in (self.ln1, self.ln2, self.att, self.ffn):
            layer.build(shape)

    def _mixes(self):
        raise NotImplementedError


class Mix(keras.layers.Layer):
    """Base of a block's parts: vectors as weights, maps without bias."""

    def __init__(self, units, depth=0.0, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.units, self.depth = units, depth

    def vector(self, name, values):
        """A weight `(units,)` that starts at these values; not cast on its own."""
        return self.add_weight(
            shape=np.shape(values),
            initializer=_Values(values),
            autocast=False,
            name=name,
        )

    def dense(self, name, features, units, start):
        """A map without bias."""
        options = {"use_bias": False, "kernel_initializer": start}
        layer = keras.layers.Dense(units, **options, dtype=self.dtype_policy, name=name)
        layer.build((None, None, features))
        return layer

    def call(self, *_):
        raise NotImplementedError


class _Values(keras.initializers.Initializer):
    """Given values."""

    def __init__(self, values):
        self.values = values

    def __call__(self, shape, dtype=None):
        return ops.convert_to_tensor(self.values, dtype or "float32")


def places(units):
    """0 to almost 1, a number for each unit."""
    return np.arange(units) / units


def shifted(x, before):
    """The input before each step, the first of which comes from elsewhere."""
    before = ops.expand_dims(ops.cast(before, x.dtype), 1)
    return ops.concatenate([before, x[:, :-1]], axis=1)
