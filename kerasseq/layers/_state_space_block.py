"""What the state-space blocks have in common: their states, and how they start."""

import keras
import numpy as np
from keras import ops

from kerasseq.layers import _state_protocol


class StateSpaceBlock(_state_protocol.StateMixin, keras.layers.Layer):
    """Base of blocks whose last state, that of the recurrence, is float32.

    The others, if any, are inputs of a convolution, of the layer's compute dtype. A
    block has the arguments `units`, `delta_min`, `delta_max` and `return_state`.
    """

    def __init__(self, **kwargs):
        # By itself Keras would cast the states to half precision.
        super().__init__(**kwargs | {"autocast": False})

    def _check_deltas(self, **more):
        """Refuses step sizes that do not ascend from above 0."""
        low, high = self.delta_min, self.delta_max
        if not 0 < low <= high or not all(size > 0 for size in more.values()):
            more = "".join(f", {name}={size}" for name, size in more.items())
            raise ValueError(
                "Step sizes must be positive, and `delta_min` at most `delta_max`. "
                f"Received: delta_min={low}, delta_max={high}{more}"
            )

    def _check_kernel_size(self):
        if self.kernel_size < 2:
            raise ValueError(
                "`kernel_size` must be at least 2. "
                f"Received: kernel_size={self.kernel_size}"
            )

    def _dense(self, units, features, name, use_bias=False, **options):
        layer = keras.layers.Dense(
            units, use_bias=use_bias, dtype=self.dtype_policy, name=name, **options
        )
        layer.build((None, None, features))
        return layer

    def _parameter(self, shape, initializer, name):
        """A weight of the recurrence, which half precision does not round."""
        return self.add_weight(
            shape=shape, initializer=initializer, autocast=False, name=name
        )

    def _add_convolution(self, channels):
        limit = self.kernel_size**-0.5
        self.kernel = self.add_weight(
            shape=(self.kernel_size, channels),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(channels,), initializer="zeros", name="bias")

    def _convolved(self, window):
        """Each channel's own causal convolution, as products of shifted inputs."""
        kernel, size = ops.cast(self.kernel, window.dtype), self.kernel_size
        parts = [window[:, k : k + 1 - size or None] * kernel[k] for k in range(size)]
        return sum(parts) + ops.cast(self.bias, window.dtype)

    def _delta_log(self, shape, dtype=None):
        """Logarithms of step sizes, uniform between those of the bounds."""
        low, high = np.log(self.delta_min), np.log(self.delta_max)
        return keras.random.uniform(shape, low, high, dtype=dtype or "float32")

    def _delta_bias(self, shape, dtype=None):
        """The inverse of softplus of step sizes that are uniform in their logarithm."""
        sizes = ops.maximum(ops.exp(self._delta_log(shape)), self.delta_floor)
        return ops.cast(sizes + ops.log(-ops.expm1(-sizes)), dtype or "float32")

    def _state_dtypes(self):
        return [self.compute_dtype] * (len(self.state_size) - 1) + ["float32"]

    def get_initial_state(self, batch_size):
        """The zeros that a sequence starts from; the last state is float32."""
        return [
            ops.zeros((batch_size, *shape), dtype)
            for shape, dtype in zip(self.state_size, self._state_dtypes(), strict=True)
        ]

    def step(self, inputs, states):
        if not self.return_state:
            raise ValueError(
                f"A step needs the states: create {type(self).__name__} with "
                "`return_state=True`. Received: return_state=False"
            )
        return super().step(inputs, states)

    step.__doc__ = _state_protocol.StateMixin.step.__doc__

    def _checked(self, initial_state, inputs):
        """The states that a call starts from."""
        if initial_state is None:
            return self.get_initial_state(ops.shape(inputs)[0])
        states = [ops.convert_to_tensor(x) for x in initial_state]
        shapes = [tuple(x.shape[1:]) for x in states]
        if shapes != self.state_size:
            raise ValueError(
                f"The states of a {type(self).__name__} block have the shapes "
                f"{self.state_size}, batch left out; start from `get_initial_state`. "
                f"Received: {shapes}"
            )
        return states

    def compute_output_shape(self, inputs_shape, initial_state_shape=None):
        shape = (*inputs_shape[:2], self.units)
        if not self.return_state:
            return shape
        return [shape, *((inputs_shape[0], *size) for size in self.state_size)]

    def compute_output_spec(self, inputs, initial_state=None, training=False):
        shapes = self.compute_output_shape(inputs.shape)
        if not self.return_state:
            return keras.KerasTensor(shapes, self.compute_dtype)
        dtypes = (self.compute_dtype, *self._state_dtypes())
        pairs = zip(shapes, dtypes, strict=True)
        return [keras.KerasTensor(shape, dtype) for shape, dtype in pairs]

    def compute_mask(self, inputs, mask=None):
        return [mask, *[None] * len(self.state_size)] if self.return_state else mask
