"""What the blocks of RWKV-4 and RWKV-7 share."""

import keras
import numpy as np
from keras import ops

from kerasseq.layers import _arguments, _state_protocol

EPSILON = 1e-5  # of layer norms, as published


class RWKVBlock(_state_protocol.StateMixin, keras.layers.Layer):
    """Base of the blocks: norms, sizes, states and shapes.

    A subclass sets `state_dtypes`, names with "compute" for that of the policy, and has
    `_mixes()`, which gives the sub-layers of the time mix and of the channel mix. A
    state is never cast to half precision on its way in, so nothing is cast on its own.
    """

    state_dtypes = ()

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(ndim=3)

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

    def get_initial_state(self, batch_size):
        """The zeros that a sequence starts from."""
        pairs = zip(self.state_size, self._dtypes(), strict=True)
        return [ops.zeros((batch_size, *shape), dtype) for shape, dtype in pairs]

    def _dtypes(self):
        given = self.state_dtypes
        return [self.compute_dtype if x == "compute" else x for x in given]

    def _states(self, inputs, given):
        """The states to start from, checked."""
        if given is None:
            return self.get_initial_state(ops.shape(inputs)[0])
        shapes = [tuple(x.shape[1:]) for x in given]
        if shapes != self.state_size:
            raise ValueError(
                f"The states of {type(self).__name__} have the shapes "
                f"{self.state_size}, batch left out; start from `get_initial_state`. "
                f"Received: {shapes}"
            )
        pairs = zip(given, self._dtypes(), strict=True)
        return [ops.cast(x, dtype) for x, dtype in pairs]

    def compute_output_shape(self, inputs_shape):
        shape = tuple(inputs_shape)
        if not self.return_state:
            return shape
        return [shape, *((shape[0], *size) for size in self.state_size)]

    def compute_output_spec(self, inputs, *_, **__):
        shapes = self.compute_output_shape(inputs.shape)
        if isinstance(shapes, tuple):
            return keras.KerasTensor(shapes, self.compute_dtype)
        dtypes = [self.compute_dtype] * len(shapes)
        if self.return_state:
            dtypes[1 : 1 + len(self.state_dtypes)] = self._dtypes()
        pairs = zip(shapes, dtypes, strict=True)
        return [keras.KerasTensor(shape, dtype) for shape, dtype in pairs]

    def compute_mask(self, inputs, mask=None):
        shapes = self.compute_output_shape(inputs.shape)
        if isinstance(shapes, tuple):
            return mask
        return [mask, *[None] * (len(shapes) - 1)]


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
