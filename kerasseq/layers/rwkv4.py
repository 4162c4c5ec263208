"""The block of RWKV-4."""

import keras
from keras import ops

from kerasseq.layers import _arguments, _rwkv4_mixes, _rwkv_block


@keras.saving.register_keras_serializable(package="kerasseq")
class RWKV4(_rwkv_block.RWKVBlock):
    """A block of RWKV-4: reads a sequence in linear time, five vectors as its state.

    In place of attention each channel averages its values so far, with weights that
    follow from keys and fall exponentially with the distance. Inputs are mixed with
    those of the step before (token shift), by weights of their own for each use:

        mixed = mu * x_t + (1 - mu) * x_{t-1}
        att   = W_o (sigmoid(W_r mixed_r) * wkv(W_k mixed_k, W_v mixed_v))
        ffn   = sigmoid(W_r mixed_r) * W_v relu(W_k mixed_k)^2

    with WKV as in `kerasseq.ops.wkv`. The layer holds both layer norms and all of the
    block but its outermost residual:

        a = att(ln1(x))
        outputs = a + ffn(ln2(x + a))

    so that `x + RWKV4(...)(x)` is the published block, and a network is a stack of
    those. A sequence at once, in chunks or step by step gives the same.

    Args:
        units: Positive integer, features of the inputs and of the outputs.
        mlp_dim: Positive integer, width of the channel mix; four times `units` by
            default.
        depth: Float between 0 and 1, the fraction of the network's blocks that lie
            before this one; initial decays and mixes depend on it. The authors' code
            takes it of one block less for the decays.
        return_state: Whether to return the states too.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, units)`, not normalized. Padding
            on the right changes nothing before it, but the final states.
        initial_state: Optional list of five tensors `(batch_size, units)`: the last
            input of the time mix; numerator, denominator and maximum of WKV, float32;
            the last input of the channel mix. Zeros, which stand for no steps, by
            default.
        training: Of no effect.

    Output shape:
        That of the inputs; with `return_state` a list of that and the states.

    Raises:
        ValueError: For sizes that are not positive, a depth outside 0 to 1, inputs with
            another number of features than `units`, or states of another shape.

    Example:
        >>> layer = kerasseq.layers.RWKV4(16, return_state=True)
        >>> x = np.random.rand(2, 7, 16)
        >>> outputs, *states = layer(x)
        >>> x = x + outputs  # the input of the next block

    Reference:
        Peng et al. (2023), RWKV: Reinventing RNNs for the Transformer Era; initial
        values, norms and names of weights as in the authors' code.
    """

    state_dtypes = ("compute", "float32", "float32", "float32", "compute")

    def __init__(self, units, mlp_dim=None, depth=0.0, return_state=False, **kwargs):
        super().__init__(**kwargs)
        _arguments.assign(self, RWKV4, locals())
        self._check_sizes()

    def _mixes(self):
        options = {"units": self.units, "depth": self.depth}
        options["dtype"] = self.dtype_policy
        mlp_dim = self.mlp_dim or 4 * self.units
        time = _rwkv4_mixes.TimeMix(**options, name="att")
        return time, _rwkv4_mixes.ChannelMix(**options, mlp_dim=mlp_dim, name="ffn")

    @property
    def state_size(self):
        """Shapes of the states, without the batch."""
        return [(self.units,)] * 5

    def call(self, inputs, initial_state=None, training=False):
        before_time, *sums, before_channels = self._states(inputs, initial_state)
        x = ops.cast(inputs, self.compute_dtype)
        normed = self.ln1(x)
        outputs, sums = self.att(normed, before_time, sums)
        seen = self.ln2(x + outputs)
        outputs = outputs + self.ffn(seen, before_channels)
        if not self.return_state:
            return outputs
        return [outputs, normed[:, -1], *sums, seen[:, -1]]

    def get_config(self):
        return super().get_config() | _arguments.config(self, RWKV4)
