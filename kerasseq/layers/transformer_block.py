"""One block of a Transformer: self-attention, cross-attention, feed-forward."""

import keras
from keras import ops

from kerasseq.layers import _arguments, cached_attention
from kerasseq.layers import dropout as dropout_layer

NORMS = {
    "layer": keras.layers.LayerNormalization,
    "rms": keras.layers.RMSNormalization,
}
ACTIVATIONS = ("relu", "gelu", "swiglu")


@keras.saving.register_keras_serializable(package="kerasseq")
class TransformerBlock(keras.layers.Layer):
    """Self-attention, attention over a memory if asked for, and a feed-forward layer.

        x + Sublayer(Norm(x))    with `norm_first=True` (Xiong et al., 2020)
        Norm(x + Sublayer(x))    with `norm_first=False` (Vaswani et al., 2017)

    Args:
        num_heads: Attention heads; divides the features of the inputs.
        mlp_dim: Width of the feed-forward hidden layer.
        causal: Whether a position sees only itself and those before it.
        cross_attention: Whether there is attention over a memory.
        num_key_value_heads: See `kerasseq.layers.CachedAttention`; of self-attention.
        positions: `None`, `"rotary"` or `"alibi"`, of self-attention.
        norm_first: Whether each part normalizes its input (pre-norm) or its sum with
            the input (post-norm).
        norm: `"layer"` or `"rms"` (Zhang and Sennrich, 2019).
        activation: `"relu"`, `"gelu"`, or `"swiglu"`, the product of two maps, one of
            them after SiLU (Shazeer, 2020).
        dropout: Float between 0 and 1. Fraction to drop of what each part adds.
        attention_dropout: The same of attention weights.
        activation_dropout: The same of the feed-forward hidden layer.
        use_bias: Whether linear maps have a bias.
        epsilon: Of the normalization.
        seed: Random seed of the dropouts.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`.
        memory: With `cross_attention=True`, tensor of shape `(batch_size,
            memory_length, memory_features)`.
        mask: Boolean tensor `(batch_size, length)`, `False` for padding. Outputs at
            padding mean nothing. A causal block with padding on the right needs none.
        memory_mask: The same for the memory.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, length, features)`.

    Raises:
        ValueError: for sizes that are not positive, unknown names, or rates outside
            [0, 1).

    Example:
        >>> block = kerasseq.layers.TransformerBlock(4, 64, causal=True)
        >>> block(np.random.rand(2, 7, 16)).shape
        (2, 7, 16)

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, section 3; Xiong et al.
        (2020), On Layer Normalization in the Transformer Architecture; Zhang and
        Sennrich (2019), Root Mean Square Layer Normalization; Shazeer (2020), GLU
        Variants Improve Transformer.
    """

    def __init__(
        self,
        num_heads,
        mlp_dim,
        causal=False,
        cross_attention=False,
        num_key_value_heads=None,
        positions=None,
        norm_first=True,
        norm="layer",
        activation="relu",
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        use_bias=True,
        epsilon=1e-5,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _arguments.assign(self, TransformerBlock, locals())
        self._check()
        self._make_layers()
        self.supports_masking = True

    def _make_layers(self):
        self.attention = self._attention(
            "attention",
            num_key_value_heads=self.num_key_value_heads,
            causal=self.causal,
            positions=self.positions,
        )
        self.attention_norm = self.make_norm("attention_norm")
        if self.cross_attention:
            self.memory_attention = self._attention(
                "memory_attention", cross_attention=True
            )
            self.memory_norm = self.make_norm("memory_norm")
        self.mlp_norm = self.make_norm("mlp_norm")
        self.drop = self._dropout(self.dropout)
        self.hidden_drop = self._dropout(self.activation_dropout)

    def _check(self):
        _arguments.check_choice("norm", self.norm, NORMS)
        _arguments.check_choice("activation", self.activation, ACTIVATIONS)
        _arguments.check_positive(mlp_dim=self.mlp_dim)
        _arguments.check_rates(
            dropout=self.dropout,
            attention_dropout=self.attention_dropout,
            activation_dropout=self.activation_dropout,
        )

    def _attention(self, name, **options):
        return cached_attention.CachedAttention(
            self.num_heads,
            dropout=self.attention_dropout,
            use_bias=self.use_bias,
            seed=self.seed,
            dtype=self.dtype_policy,
            name=name,
            **options,
        )

    def make_norm(self, name):
        """A layer of the kind of normalization that the block has."""
        return NORMS[self.norm](
            epsilon=self.epsilon, dtype=self.dtype_policy, name=name
        )

    def _dropout(self, rate):
        return dropout_layer.Dropout(rate, seed=self.seed, dtype=self.dtype_policy)

    def build(self, inputs_shape, memory_shape=None):
        features = inputs_shape[-1]
        self.attention.build(inputs_shape)
        self.attention_norm.build(inputs_shape)
        if self.cross_attention:
            self.memory_attention.build(inputs_shape, memory_shape)
            self.memory_norm.build(inputs_shape)
        self.mlp_norm.build(inputs_shape)
        wide = 2 if self.activation == "swiglu" else 1
        self.hidden = self._dense(wide * self.mlp_dim, features, "hidden")
        self.output_dense = self._dense(features, self.mlp_dim, "output")

    def _dense(self, units, features, name):
        layer = keras.layers.Dense(
            units, use_bias=self.use_bias, dtype=self.dtype_policy, name=name
        )
        layer.build((None, features))
        return layer

    def call(self, inputs, memory=None, mask=None, memory_mask=None, training=False):
        def attend(x):
            return self.attention(x, mask=mask, training=training), None

        def cross_attend(x):
            outputs = self.memory_attention(
                x, memory, mask=memory_mask, training=training
            )
            return outputs, None

        return self._run(inputs, attend, cross_attend, training)[0]

    def project(self, memory):
        """Keys and values of a memory, for `extend`."""
        return self.memory_attention.project(memory)

    def extend(self, inputs, cache, projected=None, bias=None, training=False):
        """Computes new positions, which see those in a cache too.

        Args:
            inputs: Tensor of shape `(batch_size, length, features)`.
            cache: A policy of `kerasseq.layers.key_value_cache` with the keys and
                values of self-attention.
            projected: With `cross_attention=True`, `(keys, values)` of the memory, from
                `project`.
            bias: Tensor `(batch_size, memory_length)`, 0 where the memory may be seen
                and `kerasseq.ops.MASKED_SCORE` elsewhere.
            training: Whether dropout is applied.

        Returns:
            `(outputs, cache, weights)`: `(batch_size, length, features)`, the new
            `[keys, values]`, and the attention weights over the memory, `(batch_size,
            num_heads, length, memory_length)`, or `None`.
        """

        def attend(x):
            return self.attention.extend(x, cache, training)

        def cross_attend(x):
            return self.memory_attention.attend(x, *projected, bias)

        return self._run(inputs, attend, cross_attend, training)

    def _run(self, x, attend, cross_attend, training):
        """The parts one after the other, each with its norm and its residual.

        `attend` and `cross_attend` return their outputs and something beside: the
        cache, and the weights of attention.
        """
        weights = None
        y, cache = attend(self._before(x, self.attention_norm))
        x = self._after(x, y, self.attention_norm, training)
        if self.cross_attention:
            y, weights = cross_attend(self._before(x, self.memory_norm))
            x = self._after(x, y, self.memory_norm, training)
        y = self._feed_forward(self._before(x, self.mlp_norm), training)
        return self._after(x, y, self.mlp_norm, training), cache, weights

    def _before(self, x, norm):
        return norm(x) if self.norm_first else x

    def _after(self, x, y, norm, training):
        x = x + self.drop(y, training=training)
        return x if self.norm_first else norm(x)

    def _feed_forward(self, x, training):
        length, features = ops.shape(x)[1], x.shape[-1]
        # (batch_size, length, features) -> (batch_size * length, features) and back:
        # all tokens in one product, also of the gradient.
        x = self.hidden(ops.reshape(x, (-1, features)))
        if self.activation == "swiglu":
            gate, x = ops.split(x, 2, axis=-1)
            x = ops.silu(gate) * x
        else:
            x = keras.activations.get(self.activation)(x)
        x = self.output_dense(self.hidden_drop(x, training=training))
        return ops.reshape(x, (-1, length, features))

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        return inputs_shape

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return super().get_config() | _arguments.config(self, TransformerBlock)
