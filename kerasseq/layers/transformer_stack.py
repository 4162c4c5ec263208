"""The encoder and the decoder of a Transformer: positions, blocks, normalization."""

import keras
from keras import ops as kops

from kerasseq import ops
from kerasseq.layers import (
    _arguments,
    _state_protocol,
    block_stack,
    key_value_cache,
    token_positions,
)
from kerasseq.layers import dropout as dropout_layer


class _TransformerStack(block_stack.BlockStack):
    """Positions, dropout, blocks, and with pre-norm a last normalization."""

    def __init__(
        self,
        num_layers,
        num_heads,
        mlp_dim,
        positions="sinusoidal",
        max_length=512,
        scale_inputs=False,
        **kwargs,
    ):
        added = positions in token_positions.KINDS
        super().__init__(
            num_layers, num_heads, mlp_dim, None if added else positions, **kwargs
        )
        _arguments.assign(self, _TransformerStack, locals())
        self.add_positions = None
        if added:
            self.add_positions = token_positions.TokenPositions(
                max_length, positions, dtype=self.dtype_policy, name="positions"
            )
        self.drop = dropout_layer.Dropout(
            self.dropout, seed=self.seed, dtype=self.dtype_policy
        )
        self.supports_masking = True

    def _build(self, inputs_shape, *memory_shape):
        if self.add_positions is not None:
            self.add_positions.build(inputs_shape)
        self._build_blocks(inputs_shape, *memory_shape)
        self.num_features = inputs_shape[-1]

    def _begin(self, x, training):
        x = self._scaled(x)
        if self.add_positions is not None:
            x = self.add_positions(x)
        return self.drop(x, training=training)

    def _scaled(self, x):
        return x * self.num_features**0.5 if self.scale_inputs else x

    def compute_output_shape(self, inputs_shape, *_):
        return inputs_shape

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return super().get_config() | _arguments.config(self, _TransformerStack)


@keras.saving.register_keras_serializable(package="kerasseq")
class TransformerEncoder(_TransformerStack):
    """Blocks of self-attention over a whole sequence.

    Args:
        num_layers: Number of blocks.
        num_heads: Attention heads; divides the features of the inputs.
        mlp_dim: Width of the feed-forward hidden layers.
        positions: `"sinusoidal"` or `"learned"` (`kerasseq.layers.TokenPositions`),
            `"rotary"` or `"alibi"` (`kerasseq.layers.CachedAttention`), or `None`.
        max_length: Positions that `"sinusoidal"` and `"learned"` have.
        scale_inputs: Whether to multiply the inputs by the square root of their
            features first, as section 3.4 does with embeddings.
        **kwargs: Other arguments of `kerasseq.layers.TransformerBlock`, and of
            `keras.layers.Layer`. `dropout` also acts after the positions. With
            `norm_first` the outputs of the last block are normalized too.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`.
        mask: Boolean tensor `(batch_size, length)`, `False` for padding.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, length, features)`.

    Raises:
        ValueError: for sizes that are not positive or unknown names.

    Example:
        >>> encoder = kerasseq.layers.TransformerEncoder(2, num_heads=4, mlp_dim=64)
        >>> encoder(np.random.rand(2, 7, 16)).shape
        (2, 7, 16)

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, section 3.1.
    """

    decides = {"causal": False, "cross_attention": False}

    def build(self, inputs_shape):
        self._build(inputs_shape)

    def call(self, inputs, mask=None, training=False):
        x = self._begin(inputs, training)
        for block in self.blocks:
            x = block(x, mask=mask, training=training)
        return self._finish(x)


@keras.saving.register_keras_serializable(package="kerasseq")
class TransformerDecoder(_state_protocol.StateMixin, _TransformerStack):
    """Blocks of causal self-attention, and of attention over a memory if there is one.

    The call computes all positions at once, for training. `start` and `step` compute
    one after the other, with keys and values in a cache of fixed shape, as search and
    a phone need it; outputs are the same. They are those of
    `kerasseq.layers.AttentionDecoder`, so that search serves both.

    Padding on the right of `inputs` needs no mask: nothing after the last token
    reaches a real output.

    Args:
        num_layers: Number of blocks.
        num_heads: Attention heads; divides the features of the inputs.
        mlp_dim: Width of the feed-forward hidden layers.
        cross_attention: Whether there is a memory to attend to. Defaults to `True`.
        **kwargs: Other arguments of `kerasseq.layers.TransformerEncoder`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`.
        memory: Tensor of shape `(batch_size, memory_length, memory_features)`, unless
            the decoder is built with `cross_attention=False`.
        memory_mask: Boolean tensor `(batch_size, memory_length)`, `False` for padding.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, length, features)`.

    Raises:
        ValueError: for sizes that are not positive or unknown names.

    Example:
        >>> decoder = kerasseq.layers.TransformerDecoder(2, num_heads=4, mlp_dim=64)
        >>> decoder(np.random.rand(2, 5, 16), np.random.rand(2, 7, 16)).shape
        (2, 5, 16)

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, section 3.1.
    """

    decides = {"causal": True}

    def __init__(self, num_layers, num_heads, mlp_dim, cross_attention=True, **kwargs):
        super().__init__(
            num_layers, num_heads, mlp_dim, cross_attention=cross_attention, **kwargs
        )

    def build(self, inputs_shape, memory_shape=None):
        self._build(inputs_shape, memory_shape)

    def call(self, inputs, memory=None, memory_mask=None, training=False):
        x = self._begin(inputs, training)
        for block in self.blocks:
            x = block(x, memory, memory_mask=memory_mask, training=training)
        return self._finish(x)

    @property
    def state_size(self):
        """Shapes of the states, without the batch: see `start`."""
        return self._state_size(self.max_length)

    def _state_size(self, max_length):
        kept = self.blocks[0].attention.cache_shape(max_length)
        return [(), *[kept] * (2 * self.num_layers)]

    def get_initial_state(self, batch_size, max_length=None):
        """The first position, and keys and values of none, see `start`."""
        shapes = self._state_size(max_length or self.max_length)[1:]
        caches = [kops.zeros((batch_size, *x), self.compute_dtype) for x in shapes]
        return [kops.zeros((batch_size,), "int32"), *caches]

    def start(self, memory=None, memory_mask=None, max_length=None, batch_size=None):
        """What a memory contributes to every step, and the first states.

        Args:
            memory: Tensor of shape `(batch_size, memory_length, memory_features)`.
            memory_mask: Optional boolean tensor `(batch_size, memory_length)`.
            max_length: Steps that the cache has room for. By default the
                `max_length` of the layer.
            batch_size: Number of rows, needed without a memory.

        Returns:
            `(context, states)`: a dict of tensors that stay the same for all steps,
            and a list: the position, int32 `(batch_size,)`, then keys and values of
            each block, `(batch_size, max_length, num_key_value_heads, key_dim)`.

        Raises:
            ValueError: if the positions do not reach to `max_length`.
        """
        if max_length is None:
            max_length = self.max_length
        if self.add_positions is not None and max_length > self.max_length:
            raise ValueError(
                "The positions of this decoder reach to a length of "
                f"{self.max_length}; build it with a larger `max_length`. Received: "
                f"max_length={max_length}"
            )
        context = {}
        if memory is not None:
            context = self._context(memory, memory_mask)
            batch_size = kops.shape(memory)[0]
        return context, self.get_initial_state(batch_size, max_length)

    def _context(self, memory, mask):
        bias = kops.zeros(kops.shape(memory)[:2], "float32")
        if mask is not None:
            bias = kops.where(mask, 0.0, ops.MASKED_SCORE)
        context = {"bias": bias}
        for index, block in enumerate(self.blocks):
            keys, values = block.project(memory)
            context |= {f"keys_{index}": keys, f"values_{index}": values}
        return context

    def project(self, inputs):
        """The inputs themselves; a recurrent decoder prepares them here."""
        return inputs

    def step(self, projected, states, context):
        """One step of the decoder.

        Args:
            projected: Tensor `(batch_size, features)` from `project`.
            states: List from `start` or the step before.
            context: Dict from `start`.

        Returns:
            `(outputs, weights, states)`: the outputs `(batch_size, features)`, the
            mean attention of the last block over the memory `(batch_size,
            memory_length)`, `None` without one, and the new states.
        """
        position, *caches = states
        x = self._scaled(kops.cast(projected, self.compute_dtype))
        if self.add_positions is not None:
            x = self.add_positions.step(x, position)
        x = kops.expand_dims(x, 1)  # (batch_size, 1, features)
        new_states, weights = [position + 1], None
        for index, block in enumerate(self.blocks):
            kept = caches[2 * index : 2 * index + 2]
            cache = key_value_cache.FixedCache(kept, position)
            memory = [context.get(f"{kind}_{index}") for kind in ("keys", "values")]
            x, kept, weights = block.extend(x, cache, memory, context.get("bias"))
            new_states += kept
        if weights is not None:  # (batch_size, num_heads, 1, memory_length)
            weights = kops.mean(weights[:, :, 0], axis=1)
        return kops.squeeze(self._finish(x), 1), weights, new_states
