"""What the state-space blocks have in common: their states, and how they start."""

import keras
import numpy as np
from keras import ops

from kerasseq.layers import _state_block


class StateSpaceBlock(_state_block.StateBlock):
    """Base of blocks with the arguments `delta_min` and `delta_max`."""

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
