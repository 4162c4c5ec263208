"""The block of RWKV-7."""

import keras
from keras import ops

from kerasseq.layers import _arguments, _rwkv7_mixes, _rwkv_block


@keras.saving.register_keras_serializable(package="kerasseq")
class RWKV7(_rwkv_block.RWKVBlock):
    """A block of RWKV-7 "Goose": linear time, a matrix for each head as its state.

    Each head holds a matrix S that maps keys to values. A step lets it decay, removes
    what it holds for a key, and adds a value for another:

        S_t = S_{t-1} (diag(w) - p (a * p)^T) + v k^T
        y_t = S_t r_t

    Decays `w`, removal keys `p` of length 1, learning rates `a`, keys `k`, values `v`
    and receptance `r` follow from the input mixed with that of the step before, in the
    authors' form; the heads are normalized, get a bonus for the current step, and a
    gate. A feed-forward layer with squared ReLU follows. The layer holds both layer
    norms and all of the block but its outermost residual:

        t = att(ln1(x))
        outputs = t + ffn(ln2(x + t))

    so that `x + RWKV7(...)(x)` is the published block. A sequence at once, in chunks or
    step by step gives the same.

    Blocks after the first mix their values with those of the first (value residual):

        outputs, value = RWKV7(units, return_value=True)(x)
        x = x + outputs
        x = x + RWKV7(units, depth=0.5, value_residual=True)(x, first_value=value)

    Args:
        units: Positive integer, features of the inputs and of the outputs.
        head_size: Positive integer that divides `units`. By default the largest number
            up to 64 that does.
        mlp_dim: Positive integer, width of the channel mix; four times `units` by
            default.
        depth: Float between 0 and 1, the fraction of the network's blocks that lie
            before this one; initial decays and mixes depend on it. The authors' code
            takes it of one block less for the decays.
        value_residual: Whether values are mixed with those of the first block.
        decay_rank: Positive integer, rank of the map to decays. This and the other
            ranks are as the authors suggest for `units` by default, at least 32.
        rate_rank: The same of learning rates.
        value_rank: The same of the mix with the first block's values.
        gate_rank: The same of the gate.
        return_state: Whether to return the states too.
        return_value: Whether to return the values too, for the blocks after this one;
            without `value_residual` only.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, units)`, not normalized. Padding
            on the right changes nothing before it, but the final states.
        initial_state: Optional list of three tensors: the last input of the time mix,
            `(batch_size, units)`; the matrices, float32 `(batch_size, units /
            head_size, head_size, head_size)`, values before keys; the last input of the
            channel mix. Zeros by default.
        first_value: The values of the first block, of the shape of the inputs; needed
            with `value_residual`.
        training: Of no effect.

    Output shape:
        That of the inputs; with `return_state` or `return_value` a list of that, the
        states, and the values.

    Raises:
        ValueError: For sizes that are not positive, a head size that does not divide
            the units, a depth outside 0 to 1, inputs with another number of features
            than `units`, states of another shape, or values of a first block where
            they are not expected, or none where they are.

    Example:
        >>> layer = kerasseq.layers.RWKV7(16, head_size=8, return_state=True)
        >>> outputs, *states = layer(np.random.rand(2, 7, 16))
        >>> [x.shape for x in states]
        [(2, 16), (2, 2, 8, 8), (2, 16)]

    Reference:
        Peng et al. (2025), RWKV-7 "Goose" with Expressive Dynamic State Evolution;
        initial values and names of weights as in the authors' code.
    """

    state_dtypes = ("compute", "float32", "compute")

    def __init__(
        self,
        units,
        head_size=None,
        mlp_dim=None,
        depth=0.0,
        value_residual=False,
        decay_rank=None,
        rate_rank=None,
        value_rank=None,
        gate_rank=None,
        return_state=False,
        return_value=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _arguments.assign(self, RWKV7, locals())
        self._check_sizes()
        if head_size is None:
            self.head_size = head_size = _arguments.head_size(units)
        names = ("head_size", "decay_rank", "rate_rank", "value_rank", "gate_rank")
        given = {name: getattr(self, name) for name in names}
        given = {name: x for name, x in given.items() if x is not None}
        _arguments.check_positive(**given)
        if units % head_size:
            raise ValueError(
                "`head_size` must divide `units`. "
                f"Received: head_size={head_size}, units={units}"
            )
        if value_residual and return_value:
            raise ValueError(
                "The values that others mix with their own are those of the first "
                "block, which has no `value_residual`. "
                "Received: value_residual=True, return_value=True"
            )

    def _mixes(self):
        given = {"w": self.decay_rank, "a": self.rate_rank}
        given |= {"v": self.value_rank, "g": self.gate_rank}
        default = _rwkv7_mixes.default_rank
        ranks = {kind: x or default(kind, self.units) for kind, x in given.items()}
        options = {"units": self.units, "depth": self.depth}
        options["dtype"] = self.dtype_policy
        of_time = (self.head_size, ranks, self.value_residual)
        names = ("head_size", "ranks", "value_residual")
        of_time = dict(zip(names, of_time, strict=True))
        mlp_dim = self.mlp_dim or 4 * self.units
        time = _rwkv7_mixes.TimeMix(**options, **of_time, name="att")
        return time, _rwkv7_mixes.ChannelMix(**options, mlp_dim=mlp_dim, name="ffn")

    @property
    def state_size(self):
        """Shapes of the states, without the batch."""
        heads = self.units // self.head_size
        matrices = (heads, self.head_size, self.head_size)
        return [(self.units,), matrices, (self.units,)]

    def call(self, inputs, initial_state=None, first_value=None, training=False):
        if (first_value is not None) != bool(self.value_residual):
            received = None if first_value is None else tuple(first_value.shape)
            raise ValueError(
                "A block with `value_residual` takes the values of the first block as "
                "`first_value`, others take none. Received: value_residual="
                f"{self.value_residual}, first_value of shape {received}"
            )
        before_time, state, before_channels = self._states(inputs, initial_state)
        x = ops.cast(inputs, self.compute_dtype)
        if first_value is not None:
            first_value = ops.cast(first_value, self.compute_dtype)
        normed = self.ln1(x)
        outputs, value, state = self.att(normed, before_time, state, first_value)
        seen = self.ln2(x + outputs)
        outputs = outputs + self.ffn(seen, before_channels)
        found = [outputs]
        found += [normed[:, -1], state, seen[:, -1]] if self.return_state else []
        found += [value] if self.return_value else []
        return found if len(found) > 1 else outputs

    def step(self, inputs, states, first_value=None):
        """Computes one position.

        Args:
            inputs: Tensor of shape `(batch_size, units)`.
            states: List of tensors, from `get_initial_state` or the step before.
            first_value: The first block's value at this position, with
                `value_residual`.

        Returns:
            `(outputs, states)`, with `return_value` `(outputs, states, value)`.
        """
        self._check_returns_states()
        if first_value is not None:
            first_value = ops.expand_dims(first_value, 1)
        outputs, *found = self(ops.expand_dims(inputs, 1), list(states), first_value)
        outputs = ops.squeeze(outputs, 1)
        if not self.return_value:
            return outputs, found
        return outputs, found[:-1], ops.squeeze(found[-1], 1)

    def compute_output_shape(self, inputs_shape, initial_state_shape=None):
        found = super().compute_output_shape(inputs_shape)
        if not self.return_value:
            return found
        shape = tuple(inputs_shape)
        return [*(found if self.return_state else [found]), shape]

    def get_config(self):
        return super().get_config() | _arguments.config(self, RWKV7)
