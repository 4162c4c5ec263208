"""The Mamba block: a selective state-space model behind a short convolution."""

import keras
import numpy as np
from keras import ops

from kerasseq.layers import _arguments, _state_space_block
from kerasseq.ops import selective_scan

_MULTIPLE = 16  # units for each unit of the step size's rank


@keras.saving.register_keras_serializable(package="kerasseq")
class Mamba(_state_space_block.StateSpaceBlock):
    """A Mamba block: reads a sequence in linear time, with a state of fixed size.

    Each of `expansion * units` channels is a linear recurrence of `state_dim` numbers
    whose step size, input and output weights follow from the input, so that a channel
    chooses what it remembers:

        x, z = W_in u
        x    = silu(conv(x))                    causal, over kernel_size steps
        dt, B, C = W_x x,  dt = softplus(W_dt dt + b_dt)
        h_t  = exp(dt A) * h_{t-1} + dt B x_t,  A = -exp(a_log)
        y_t  = C h_t + D x_t
        out  = W_out (y * silu(z))

    A sequence at once, in chunks or step by step gives the same. There is no residual
    connection and no norm inside: a network is a stack of `x + Mamba(norm(x))`.

    Args:
        units: Positive integer, features of the outputs.
        state_dim: Positive integer, numbers of the state of each channel.
        kernel_size: Integer, steps that the convolution sees, at least 2.
        expansion: Positive integer, channels for each unit.
        delta_rank: Positive integer, rank of the map to the step sizes. A sixteenth of
            `units`, rounded up, by default.
        delta_min: Positive float, smallest step size at the start.
        delta_max: Float, the largest one.
        delta_floor: Positive float, below which none is at the start.
        discretization: `"euler"`, as in the authors' code, or `"zoh"`, see
            `kerasseq.ops.selective_scan`.
        return_state: Whether to return the states too.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`. Padding on the right
            changes nothing before it, but the final states.
        initial_state: Optional list of two tensors: the last inputs of the convolution
            `(batch_size, kernel_size - 1, channels)`, and the states, float32
            `(batch_size, state_dim, channels)`. Zeros by default.
        training: Of no effect.

    Output shape:
        `(batch_size, length, units)`; with `return_state` a list of that and the
        states.

    Raises:
        ValueError: For sizes that are not positive, step sizes that do not ascend from
            above 0, or states of another shape.

    Example:
        >>> layer = kerasseq.layers.Mamba(16, return_state=True)
        >>> outputs, *states = layer(np.random.rand(2, 7, 16))
        >>> [x.shape for x in states]
        [(2, 3, 32), (2, 16, 32)]

    Reference:
        Gu and Dao (2023), Mamba: Linear-Time Sequence Modeling with Selective State
        Spaces, section 3.4 and appendix B; initial values as in the authors' code.
    """

    state_dtypes = ("compute", "float32")

    def __init__(
        self,
        units,
        state_dim=16,
        kernel_size=4,
        expansion=2,
        delta_rank=None,
        delta_min=0.001,
        delta_max=0.1,
        delta_floor=1e-4,
        discretization="euler",
        return_state=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _arguments.check_positive(
            units=units,
            state_dim=state_dim,
            expansion=expansion,
            delta_rank=1 if delta_rank is None else delta_rank,
        )
        _arguments.check_choice("discretization", discretization, ("euler", "zoh"))
        _arguments.assign(self, Mamba, locals())
        self._check_kernel_size()
        self._check_deltas(delta_floor=delta_floor)
        self.channels = expansion * units

    def build(self, inputs_shape, initial_state_shape=None):
        rank = self.delta_rank or -(-self.units // _MULTIPLE)
        self._rank = rank
        dense, channels = self._dense, self.channels
        self.in_projection = dense(2 * channels, inputs_shape[-1], "in_projection")
        self.x_projection = dense(rank + 2 * self.state_dim, channels, "x_projection")
        start = keras.initializers.RandomUniform(-(rank**-0.5), rank**-0.5)
        options = {"kernel_initializer": start, "use_bias": True}
        options["bias_initializer"] = self._delta_bias
        self.delta_projection = dense(channels, rank, "delta_projection", **options)
        self.out_projection = dense(self.units, channels, "out_projection")
        self._add_convolution(channels)
        size = (channels, self.state_dim)
        self.a_log = self._parameter(size, _log_counts, "a_log")
        self.skip = self.add_weight(shape=(channels,), initializer="ones", name="skip")

    @property
    def state_size(self):
        """Shapes of the states, without the batch."""
        return [(self.kernel_size - 1, self.channels), (self.state_dim, self.channels)]

    def call(self, inputs, initial_state=None, training=False):
        before, state = self._states(inputs, initial_state)
        x, gate = ops.split(self.in_projection(inputs), 2, axis=-1)
        window = ops.concatenate([ops.cast(before, x.dtype), x], axis=1)
        x = ops.silu(self._convolved(window))
        sizes = [self._rank, self._rank + self.state_dim]
        delta, into, out = ops.split(self.x_projection(x), sizes, axis=-1)
        delta = ops.softplus(self.delta_projection(delta))
        transition = -ops.exp(ops.cast(self.a_log, "float32"))
        y, state = selective_scan(
            x, delta, transition, into, out, state, self.discretization
        )
        y = y + x * ops.cast(self.skip, x.dtype)
        outputs = self.out_projection(y * ops.silu(gate))
        if not self.return_state:
            return outputs
        return [outputs, window[:, -before.shape[1] :], state]

    def get_config(self):
        return super().get_config() | _arguments.config(self, Mamba)


def _log_counts(shape, dtype=None):
    """log 1, log 2, ... for each channel, the real part of S4D's start."""
    rows = np.broadcast_to(np.log(np.arange(1, shape[1] + 1)), shape)
    return ops.convert_to_tensor(rows, dtype or "float32")
