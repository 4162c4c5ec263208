"""The encoder and the decoder of a Transformer: positions, blocks, normalization."""

import keras
from keras import ops as kops

from kerasseq import ops
from kerasseq.layers.token_positions import KINDS, TokenPositions
from kerasseq.layers.transformer_block import make_blocks


class _TransformerStack(keras.layers.Layer):
    """Positions, dropout, blocks, and with pre-norm a last normalization."""

    causal = False

    def __init__(
        self,
        num_layers,
        num_heads,
        mlp_dim,
        positions="sinusoidal",
        max_length=512,
        norm_first=True,
        dropout=0.0,
        scale_inputs=False,
        **kwargs,
    ):
        names = ("cross_attention", "num_key_value_heads", "norm", "activation")
        names += ("attention_dropout", "activation_dropout", "use_bias", "epsilon")
        block = {name: kwargs.pop(name) for name in (*names, "seed") if name in kwargs}
        super().__init__(**kwargs)
        self.options = block | {
            "num_layers": num_layers,
            "num_heads": num_heads,
            "mlp_dim": mlp_dim,
            "positions": positions,
            "max_length": max_length,
            "norm_first": norm_first,
            "dropout": dropout,
            "scale_inputs": scale_inputs,
        }
        self.positions = None
        if positions in KINDS:
            self.positions = TokenPositions(
                max_length, positions, dtype=self.dtype_policy, name="positions"
            )
        self.drop = keras.layers.Dropout(
            dropout, seed=block.get("seed"), dtype=self.dtype_policy
        )
        self.blocks, self.norm = make_blocks(
            num_layers,
            norm_first,
            num_heads=num_heads,
            mlp_dim=mlp_dim,
            causal=self.causal,
            positions=None if positions in KINDS else positions,
            dropout=dropout,
            dtype=self.dtype_policy,
            **block,
        )
        self.supports_masking = True

    def _build(self, inputs_shape, *memory_shape):
        if self.positions is not None:
            self.positions.build(inputs_shape)
        for block in self.blocks:
            block.build(inputs_shape, *memory_shape)
        if self.norm is not None:
            self.norm.build(inputs_shape)
        self.num_features = inputs_shape[-1]

    def _enter(self, x, training):
        x = self._scaled(x)
        if self.positions is not None:
            x = self.positions(x)
        return self.drop(x, training=training)

    def _scaled(self, x):
        return x * self.num_features**0.5 if self.options["scale_inputs"] else x

    def _leave(self, x):
        return x if self.norm is None else self.norm(x)

    def compute_output_shape(self, inputs_shape, *_):
        return inputs_shape

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return super().get_config() | self.options


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
        norm_first: Whether blocks normalize their inputs; then the outputs of the last
            one are normalized too.
        dropout: Dropout after the positions, and of what each part of a block adds.
        scale_inputs: Whether to multiply the inputs by the square root of their
            features first, as section 3.4 does with embeddings.
        **kwargs: Other arguments of `kerasseq.layers.TransformerBlock`, and of
            `keras.layers.Layer`.

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

    def build(self, inputs_shape):
        self._build(inputs_shape)

    def call(self, inputs, mask=None, training=False):
        x = self._enter(inputs, training)
        for block in self.blocks:
            x = block(x, mask=mask, training=training)
        return self._leave(x)


@keras.saving.register_keras_serializable(package="kerasseq")
class TransformerDecoder(_TransformerStack):
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
        cross_attention: Whether there is a memory to look at. Defaults to `True`.
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

    causal = True

    def __init__(self, num_layers, num_heads, mlp_dim, cross_attention=True, **kwargs):
        super().__init__(
            num_layers, num_heads, mlp_dim, cross_attention=cross_attention, **kwargs
        )

    def build(self, inputs_shape, memory_shape=None):
        self._build(inputs_shape, memory_shape)

    def call(self, inputs, memory=None, memory_mask=None, training=False):
        x = self._enter(inputs, training)
        for block in self.blocks:
            x = block(x, memory, memory_mask=memory_mask, training=training)
        return self._leave(x)

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
        reach = self.options["max_length"]
        if max_length is None:
            max_length = reach
        if self.positions is not None and max_length > reach:
            raise ValueError(
                f"The positions of this decoder reach to a length of {reach}; build it "
                f"with a larger `max_length`. Received: max_length={max_length}"
            )
        context = {}
        if memory is not None:
            batch_size, length = kops.shape(memory)[0], kops.shape(memory)[1]
            bias = kops.zeros((batch_size, length), "float32")
            if memory_mask is not None:
                bias = kops.where(memory_mask, 0.0, ops.MASKED_SCORE)
            context["bias"] = bias
            for index, block in enumerate(self.blocks):
                keys, values = block.project(memory)
                context |= {f"keys_{index}": keys, f"values_{index}": values}
        states = [kops.zeros((batch_size,), "int32")]
        for block in self.blocks:
            states += block.attention.empty_cache(batch_size, max_length)
        return context, states

    def project(self, inputs):
        """The inputs themselves; a recurrent decoder prepares them here."""
        return inputs

    def step(self, inputs, states, context):
        """One step of the decoder.

        Args:
            inputs: Tensor of shape `(batch_size, features)`.
            states: List from `start` or the step before.
            context: Dict from `start`.

        Returns:
            `(outputs, weights, states)`: the outputs `(batch_size, features)`, the
            mean attention of the last block over the memory `(batch_size,
            memory_length)`, `None` without one, and the new states.
        """
        position, *caches = states
        x = self._scaled(kops.cast(inputs, self.compute_dtype))
        if self.positions is not None:
            x = self.positions.step(x, position)
        new, weights = [position + 1], None
        for index, block in enumerate(self.blocks):
            projected = []
            if context:
                projected = [context[f"keys_{index}"], context[f"values_{index}"]]
            cache = caches[2 * index : 2 * index + 2]
            x, cache, weights = block.step(
                x, cache, position, projected, context.get("bias")
            )
            new += cache
        return self._leave(x), weights, new
