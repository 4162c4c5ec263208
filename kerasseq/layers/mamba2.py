"""The Mamba-2 block: a selective state-space model of matrix products."""

import keras
from keras import ops

from kerasseq.layers import _arguments, _state_space_block
from kerasseq.ops import state_space_duality


@keras.saving.register_keras_serializable(package="kerasseq")
class Mamba2(_state_space_block.StateSpaceBlock):
    """A Mamba-2 block: reads a sequence in linear time, mostly by matrix products.

    As `Mamba`, but the `expansion * units` channels are parted into heads, each with
    one decay for all of its states, and all parameters of a step come from one
    projection of the inputs:

        z, x, B, C, dt = W_in u
        x, B, C = silu(conv(x, B, C))           causal, over kernel_size steps
        dt  = softplus(dt + delta_bias)
        h_t = exp(dt a) h_{t-1} + dt x_t B_t',  a = -exp(a_log), a number per head
        y_t = h_t C_t + D x_t
        out = W_out norm(y * silu(z))           norm: RMS, in each group of heads

    A sequence at once, in chunks or step by step gives the same. There is no residual
    connection and no norm before: a network is a stack of `x + Mamba2(norm(x))`.

    Args:
        units: Positive integer, features of the outputs.
        head_dim: Positive integer, channels of a head; divides `expansion * units`. By
            default the largest number up to 64 that does.
        state_dim: Positive integer, numbers of the state of each channel.
        num_groups: Positive integer, in how many groups of heads B and C are shared;
            divides the number of heads.
        kernel_size: Integer, steps that the convolution sees, at least 2.
        expansion: Positive integer, channels for each unit.
        delta_min: Positive float, smallest step size at the start.
        delta_max: Float, the largest one.
        delta_floor: Positive float, below which none is at the start.
        epsilon: Float, added to the mean square in the norm.
        return_state: Whether to return the states too.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`. Padding on the right
            changes nothing before it, but the final states.
        initial_state: Optional list of two tensors: the last inputs of the convolution
            `(batch_size, kernel_size - 1, channels + 2 * num_groups * state_dim)`, and
            the states, float32 `(batch_size, heads, head_dim, state_dim)`. Zeros by
            default.
        training: Of no effect.

    Output shape:
        `(batch_size, length, units)`; with `return_state` a list of that and the
        states.

    Raises:
        ValueError: For sizes that are not positive or do not divide, step sizes that do
            not ascend from above 0, or states of another shape.

    Example:
        >>> layer = kerasseq.layers.Mamba2(64, return_state=True)
        >>> outputs, *states = layer(np.random.rand(2, 7, 64))
        >>> [x.shape for x in states]
        [(2, 3, 384), (2, 2, 64, 128)]

    Reference:
        Dao and Gu (2024), Transformers are SSMs: Generalized Models and Efficient
        Algorithms Through Structured State Space Duality, section 7 and figure 6;
        initial values as in the authors' code.
    """

    state_dtypes = ("compute", "float32")

    def __init__(
        self,
        units,
        head_dim=None,
        state_dim=128,
        num_groups=1,
        kernel_size=4,
        expansion=2,
        delta_min=0.001,
        delta_max=0.1,
        delta_floor=1e-4,
        epsilon=1e-5,
        return_state=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _arguments.assign(self, Mamba2, locals())
        _arguments.check_positive(
            units=units,
            head_dim=1 if head_dim is None else head_dim,
            state_dim=state_dim,
            num_groups=num_groups,
            expansion=expansion,
        )
        self._check_kernel_size()
        self._check_deltas(delta_floor=delta_floor)
        self.channels = expansion * units
        if head_dim is None:
            self.head_dim = _arguments.head_size(self.channels)
        self._check_heads()
        self.num_heads = self.channels // self.head_dim

    def _check_heads(self):
        if self.channels % self.head_dim:
            raise ValueError(
                "`head_dim` must divide the channels, `expansion * units` = "
                f"{self.channels}. Received: head_dim={self.head_dim}"
            )
        heads = self.channels // self.head_dim
        if heads % self.num_groups:
            raise ValueError(
                "`num_groups` must divide the heads, `expansion * units / head_dim` = "
                f"{heads}. Received: num_groups={self.num_groups}"
            )

    def build(self, inputs_shape, initial_state_shape=None):
        convolved, heads = self.state_size[0][1], self.num_heads
        width = self.channels + convolved + heads
        self.in_projection = self._dense(width, inputs_shape[-1], "in_projection")
        self._add_convolution(convolved)
        self.delta_bias = self._parameter((heads,), self._delta_bias, "delta_bias")
        self.a_log = self._parameter((heads,), _log_uniform, "a_log")
        self.skip = self.add_weight(shape=(heads,), initializer="ones", name="skip")
        self.scale = self.add_weight(
            shape=(self.channels,), initializer="ones", name="scale"
        )
        self.out_projection = self._dense(self.units, self.channels, "out_projection")

    @property
    def state_size(self):
        """Shapes of the states, without the batch."""
        convolved = self.channels + 2 * self.num_groups * self.state_dim
        return [
            (self.kernel_size - 1, convolved),
            (self.num_heads, self.head_dim, self.state_dim),
        ]

    def call(self, inputs, initial_state=None, training=False):
        before, state = self._states(inputs, initial_state)
        ends = [self.channels, self.channels + before.shape[2]]
        gate, x, delta = ops.split(self.in_projection(inputs), ends, axis=-1)
        window = ops.concatenate([ops.cast(before, x.dtype), x], axis=1)
        y, state = self._recurrence(ops.silu(self._convolved(window)), delta, state)
        outputs = self.out_projection(self._normalized(y * ops.silu(gate)))
        if not self.return_state:
            return outputs
        return [outputs, window[:, -before.shape[1] :], state]

    def _recurrence(self, x, delta, state):
        length = ops.shape(x)[1]
        shared = self.num_groups * self.state_dim
        ends = [self.channels, self.channels + shared]
        x, into, out = ops.split(x, ends, axis=-1)
        x = ops.reshape(x, (-1, length, self.num_heads, self.head_dim))
        shape = (-1, length, self.num_groups, self.state_dim)
        into, out = ops.reshape(into, shape), ops.reshape(out, shape)
        bias, a_log = (ops.cast(v, "float32") for v in (self.delta_bias, self.a_log))
        delta = ops.softplus(ops.cast(delta, "float32") + bias)
        y, state = state_space_duality(x, delta, -ops.exp(a_log), into, out, state)
        y = y + x * ops.expand_dims(ops.cast(self.skip, x.dtype), -1)
        return ops.reshape(y, (-1, length, self.channels)), state

    def _normalized(self, x):
        """RMSNorm of the channels of each group, in float32."""
        length, each = ops.shape(x)[1], self.channels // self.num_groups
        y = ops.cast(x, "float32")
        y = ops.reshape(y, (-1, length, self.num_groups, each))
        y = y * ops.rsqrt(ops.mean(ops.square(y), -1, keepdims=True) + self.epsilon)
        y = ops.reshape(y, (-1, length, self.channels))
        return ops.cast(y, x.dtype) * ops.cast(self.scale, x.dtype)

    def get_config(self):
        return super().get_config() | _arguments.config(self, Mamba2)


def _log_uniform(shape, dtype=None):
    """Logarithms of numbers that are uniform from 1 to 16."""
    return ops.log(keras.random.uniform(shape, 1, 16, dtype=dtype or "float32"))
