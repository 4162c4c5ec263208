"""A causal Transformer that looks back over a window, and carries it as its state."""

import keras
from keras import ops

from kerasseq.layers import (
    _arguments,
    _state_protocol,
    block_stack,
    key_value_cache,
)

POSITIONS = ("rotary", "alibi")


@keras.saving.register_keras_serializable(package="kerasseq")
class WindowTransformer(_state_protocol.StateMixin, block_stack.BlockStack):
    """Blocks of causal self-attention over the last `window` positions.

    The keys and values of the window go in as states and come out again, as the
    states of a recurrent layer do: a text may be computed at once, in chunks of any
    length, or token by token, and outputs are the same. No gradient flows from chunk
    to chunk through the states that a caller feeds. States are zeros at the start.

    Args:
        num_layers: Number of blocks.
        num_heads: Attention heads; divides the features of the inputs.
        mlp_dim: Width of the feed-forward hidden layers.
        window: Number of earlier positions that a position sees.
        positions: `"rotary"` or `"alibi"`: both know distances alone, which is what
            a window needs.
        **kwargs: Other arguments of `kerasseq.layers.TransformerBlock`, and of
            `keras.layers.Layer`. With `norm_first` the outputs of the last block are
            normalized too.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`.
        initial_state: List of tensors: which places of the window are filled, 1 or
            0, `(batch_size, window)`; then keys and values of each block,
            `(batch_size, window, num_key_value_heads, key_dim)`. Zeros by default.
        training: Whether dropout is applied.

    Output shape:
        A list: `(batch_size, length, features)`, then the states.

    Raises:
        ValueError: for sizes that are not positive or unknown names.

    Example:
        >>> layer = kerasseq.layers.WindowTransformer(2, 4, 64, window=32)
        >>> outputs, *states = layer(np.random.rand(2, 7, 16))
        >>> outputs.shape, len(states), states[1].shape
        ((2, 7, 16), 5, (2, 32, 4, 4))

    Reference:
        Dai et al. (2019), Transformer-XL; Su et al. (2021), RoFormer; Press et al.
        (2022), Train Short, Test Long.
    """

    def __init__(
        self, num_layers, num_heads, mlp_dim, window, positions="rotary", **kwargs
    ):
        super().__init__(num_layers, num_heads, mlp_dim, positions, **kwargs)
        _arguments.check_choice("positions", positions, POSITIONS)
        _arguments.check_positive(window=window)
        _arguments.assign(self, WindowTransformer, locals())

    def build(self, inputs_shape, initial_state_shape=None):
        self._build_blocks(inputs_shape)

    @property
    def state_size(self):
        """Shapes of the states, without the batch; known once the layer is built."""
        kept = self.blocks[0].attention.cache_shape(self.window)
        return [(self.window,), *[kept] * (2 * self.num_layers)]

    def call(self, inputs, initial_state=None, training=False):
        if initial_state is None:
            initial_state = self.get_initial_state(ops.shape(inputs)[0])
        filled, *caches = (ops.cast(x, self.compute_dtype) for x in initial_state)
        x, states = inputs, [self._slid(filled, inputs)]
        for index, block in enumerate(self.blocks):
            kept = caches[2 * index : 2 * index + 2]
            cache = key_value_cache.SlidingCache(kept, filled)
            x, kept, _ = block.extend(x, cache, training=training)
            states += kept
        return [self._finish(x), *states]

    def _slid(self, filled, inputs):
        """Which places of the window are filled after the inputs."""
        new = ops.ones_like(inputs[:, :, 0], dtype=filled.dtype)
        filled = ops.concatenate([filled, new], axis=1)[:, ops.shape(inputs)[1] :]
        return ops.reshape(filled, (-1, self.window))  # states the static shape again

    def compute_output_shape(self, inputs_shape, initial_state_shape=None):
        states = [(inputs_shape[0], *shape) for shape in self.state_size]
        return [tuple(inputs_shape), *states]

    def get_config(self):
        return super().get_config() | _arguments.config(self, WindowTransformer)
