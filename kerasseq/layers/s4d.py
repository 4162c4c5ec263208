"""The S4D block: a diagonal state-space model behind each feature."""

import keras
import numpy as np
from keras import ops

from kerasseq.layers import _arguments, _state_space_block
from kerasseq.ops import diagonal_state_space


@keras.saving.register_keras_serializable(package="kerasseq")
class S4D(_state_space_block.StateSpaceBlock):
    """An S4D block: a long convolution that is also a recurrence.

    Each feature of the inputs is read by a linear model that is the same at all steps,
    with `state_dim / 2` complex numbers as its state:

        h_t = A' h_{t-1} + B' x_t,  of A = -exp(a_log) + i frequency and B = 1
        y_t = 2 Re(C h_t) + D x_t
        out = W gelu(y)             gated: halves a, b of W gelu(y) as a * sigmoid(b)

    `A'` and `B'` follow from `A`, `B` and a step size for each feature. A starts as
    S4D-Lin, `-1/2 + i pi n`. A sequence at once, in chunks or step by step gives the
    same. There is no residual connection, norm or dropout inside: a network is a stack
    of `x + S4D(norm(x))`.

    Args:
        units: Positive integer, features of the outputs.
        state_dim: Positive even integer, real numbers of the state of each feature.
        discretization: `"zoh"` or `"bilinear"`, see
            `kerasseq.ops.diagonal_state_space`.
        delta_min: Positive float, smallest step size at the start. A step size of
            `1 / n` goes with dependencies over about `n` steps.
        delta_max: Float, the largest one.
        gated: Whether the output projection is a gated linear unit.
        return_state: Whether to return the state too.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`. Padding on the right
            changes nothing before it, but the final state.
        initial_state: Optional list of one tensor, the states, float32 `(batch_size,
            features, state_dim)`: real parts, then imaginary ones. Zeros by default.
        training: Of no effect.

    Output shape:
        `(batch_size, length, units)`; with `return_state` a list of that and the state.

    Raises:
        ValueError: For sizes that are not positive, a `state_dim` that is odd, step
            sizes that do not ascend from above 0, or a state of another shape.

    Example:
        >>> layer = kerasseq.layers.S4D(16, return_state=True)
        >>> outputs, state = layer(np.random.rand(2, 7, 16))
        >>> state.shape
        (2, 16, 64)

    Reference:
        Gu et al. (2022), On the Parameterization and Initialization of Diagonal State
        Space Models, section 4 (equation 9: S4D-Lin); block as in the authors' code.
    """

    state_dtypes = ("float32",)

    def __init__(
        self,
        units,
        state_dim=64,
        discretization="zoh",
        delta_min=0.001,
        delta_max=0.1,
        gated=True,
        return_state=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _arguments.check_positive(units=units, state_dim=state_dim)
        if state_dim % 2:
            raise ValueError(
                "`state_dim` must be even: a complex number is two real ones. "
                f"Received: state_dim={state_dim}"
            )
        _arguments.check_choice("discretization", discretization, ("zoh", "bilinear"))
        _arguments.assign(self, S4D, locals())
        self._check_deltas()

    def build(self, inputs_shape, initial_state_shape=None):
        self.channels = inputs_shape[-1]
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: self.channels})
        size = (self.channels, self.state_dim // 2)
        parameter, constant = self._parameter, keras.initializers.Constant
        self.a_log = parameter(size, constant(np.log(0.5)), "a_log")
        self.frequency = parameter(size, _harmonics, "frequency")
        self.delta_log = parameter((self.channels,), self._delta_log, "delta_log")
        # Complex numbers of variance 1: half of it is in each part.
        start = keras.initializers.RandomNormal(stddev=0.5**0.5)
        self.output_weights = parameter((2, *size), start, "output_weights")
        self.skip = self.add_weight(
            shape=(self.channels,),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="skip",
        )
        width = 2 * self.units if self.gated else self.units
        self.projection = self._dense(width, self.channels, "projection", use_bias=True)

    @property
    def state_size(self):
        """Shape of the state, without the batch; known once the layer is built."""
        if not self.built:
            raise ValueError(
                "The state of an S4D block has the features of its inputs: call or "
                "build it first. Received: a layer that is not built"
            )
        return [(self.channels, self.state_dim)]

    def call(self, inputs, initial_state=None, training=False):
        (state,) = self._states(inputs, initial_state)
        x = ops.cast(inputs, self.compute_dtype)
        weights = (self.a_log, self.frequency, self.delta_log)
        a_log, frequency, delta_log = (ops.cast(v, "float32") for v in weights)
        y, state = diagonal_state_space(
            x,
            ops.exp(delta_log),
            ops.stack([-ops.exp(a_log), frequency]),
            self.output_weights,
            state,
            self.discretization,
        )
        y = y + x * ops.cast(self.skip, x.dtype)
        outputs = self.projection(ops.gelu(y, approximate=False))
        if self.gated:
            outputs, gate = ops.split(outputs, 2, axis=-1)
            outputs = outputs * ops.sigmoid(gate)
        return [outputs, state] if self.return_state else outputs

    def get_config(self):
        return super().get_config() | _arguments.config(self, S4D)


def _harmonics(shape, dtype=None):
    """pi n for each channel, the frequencies of S4D-Lin."""
    rows = np.broadcast_to(np.pi * np.arange(shape[1]), shape)
    return ops.convert_to_tensor(rows, dtype or "float32")
