"""One block of a Transformer: self-attention, cross-attention, feed-forward."""

import keras
from keras import ops

from kerasseq.layers.cached_attention import CachedAttention

NORMS = ("layer", "rms")
ACTIVATIONS = ("relu", "gelu", "swiglu")


def make_blocks(num_layers, norm_first=True, **options):
    """The blocks of a Transformer, and what follows the last one.

    Args:
        num_layers: Number of blocks.
        norm_first: Whether blocks normalize their inputs; then the outputs of the last
            one must be normalized too.
        **options: Others of `TransformerBlock`, and its dtype policy.

    Returns:
        `(blocks, norm)`; `norm` is `None` for blocks that normalize their outputs.

    Raises:
        ValueError: for a number that is not positive.
    """
    if num_layers < 1:
        raise ValueError(
            f"`num_layers` must be positive. Received: num_layers={num_layers}"
        )
    blocks = [
        TransformerBlock(norm_first=norm_first, name=f"block_{index}", **options)
        for index in range(num_layers)
    ]
    return blocks, blocks[0].make_norm("norm") if norm_first else None


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
        dropout: Dropout of what each part adds.
        attention_dropout: Dropout of attention weights.
        activation_dropout: Dropout of the feed-forward hidden layer.
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
        ValueError: for sizes that are not positive, unknown names, or shares outside
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
        self.options = {
            "num_heads": num_heads,
            "mlp_dim": mlp_dim,
            "causal": causal,
            "cross_attention": cross_attention,
            "num_key_value_heads": num_key_value_heads,
            "positions": positions,
            "norm_first": norm_first,
            "norm": norm,
            "activation": activation,
            "dropout": dropout,
            "attention_dropout": attention_dropout,
            "activation_dropout": activation_dropout,
            "use_bias": use_bias,
            "epsilon": epsilon,
            "seed": seed,
        }
        _check(**self.options)
        self.attention = self._attention(
            "attention",
            num_key_value_heads=num_key_value_heads,
            causal=causal,
            positions=positions,
        )
        self.norms = [self.make_norm("attention_norm"), self.make_norm("mlp_norm")]
        self.memory_attention = None
        if cross_attention:
            self.memory_attention = self._attention(
                "memory_attention", cross_attention=True
            )
            self.norms.insert(1, self.make_norm("memory_norm"))
        self.drop = self._dropout(dropout)
        self.hidden_drop = self._dropout(activation_dropout)
        self.supports_masking = True

    def _attention(self, name, **options):
        return CachedAttention(
            self.options["num_heads"],
            dropout=self.options["attention_dropout"],
            use_bias=self.options["use_bias"],
            seed=self.options["seed"],
            dtype=self.dtype_policy,
            name=name,
            **options,
        )

    def make_norm(self, name):
        """A layer of the kind of normalization that the block has."""
        kinds = {
            "layer": keras.layers.LayerNormalization,
            "rms": keras.layers.RMSNormalization,
        }
        return kinds[self.options["norm"]](
            epsilon=self.options["epsilon"], dtype=self.dtype_policy, name=name
        )

    def _dropout(self, share):
        return keras.layers.Dropout(
            share, seed=self.options["seed"], dtype=self.dtype_policy
        )

    def build(self, inputs_shape, memory_shape=None):
        features = inputs_shape[-1]
        self.attention.build(inputs_shape)
        if self.memory_attention is not None:
            self.memory_attention.build(inputs_shape, memory_shape)
        for norm in self.norms:
            norm.build(inputs_shape)
        wide = 2 if self.options["activation"] == "swiglu" else 1
        self.hidden = self._dense(wide * self.options["mlp_dim"], features, "hidden")
        self.output_dense = self._dense(features, self.options["mlp_dim"], "output")

    def _dense(self, units, features, name):
        layer = keras.layers.Dense(
            units,
            use_bias=self.options["use_bias"],
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build((None, features))
        return layer

    def call(self, inputs, memory=None, mask=None, memory_mask=None, training=False):
        def attend(x):
            return self.attention(x, mask=mask, training=training)

        def cross_attend(x):
            return self.memory_attention(x, memory, mask=memory_mask, training=training)

        def feed_forward(x):
            return self._feed_forward(x, training)

        return self._chain(inputs, attend, cross_attend, feed_forward, training)

    def _chain(self, x, attend, cross_attend, feed_forward, training=False):
        """The parts one after the other, each with its norm and its residual."""
        middle = [cross_attend] if self.memory_attention is not None else []
        norm_first = self.options["norm_first"]
        for norm, part in zip(self.norms, [attend, *middle, feed_forward], strict=True):
            y = part(norm(x) if norm_first else x)
            x = x + self.drop(y, training=training)
            x = x if norm_first else norm(x)
        return x

    def _feed_forward(self, x, training):
        """The feed-forward part on all tokens in one product."""
        shape = ops.shape(x)
        x = self._feed_forward_one(ops.reshape(x, (-1, x.shape[-1])), training)
        return ops.reshape(x, (-1, shape[1], x.shape[-1]))

    def _feed_forward_one(self, x, training=False):
        x = self.hidden(x)
        if self.options["activation"] == "swiglu":
            gate, x = ops.split(x, 2, axis=-1)
            x = ops.silu(gate) * x
        else:
            x = keras.activations.get(self.options["activation"])(x)
        return self.output_dense(self.hidden_drop(x, training=training))

    def project(self, memory):
        """Keys and values of a memory, for `step`; `[]` without attention over one."""
        if self.memory_attention is None:
            return []
        return self.memory_attention.project(memory)

    def step(self, inputs, cache, position, projected=(), bias=None):
        """Computes one position, for decoding.

        Args:
            inputs: Tensor of shape `(batch_size, features)`.
            cache: `[keys, values]`, from `attention.empty_cache` or the step before.
            position: int32 tensor `(batch_size,)`, counted from 0.
            projected: `[keys, values]` of the memory, from `project`.
            bias: Tensor `(batch_size, memory_length)`, 0 where the memory may be seen
                and `kerasseq.ops.MASKED_SCORE` elsewhere.

        Returns:
            `(outputs, cache, weights)`: `(batch_size, features)`, the new cache, and
            the attention weights over the memory, `(batch_size, memory_length)`, mean
            of the heads, or `None`.
        """
        found = {"weights": None}

        def attend(x):
            y, found["cache"] = self.attention.step(x, cache, position)
            return y

        def cross_attend(x):
            y, found["weights"] = self.memory_attention.attend(x, *projected, bias)
            return y

        x = self._chain(inputs, attend, cross_attend, self._feed_forward_one)
        return x, found["cache"], found["weights"]

    def extend(self, inputs, cache, valid, training=False):
        """Computes some more positions after a window of others.

        Args:
            inputs: Tensor of shape `(batch_size, length, features)`.
            cache: `[keys, values]` of the window.
            valid: Float tensor `(batch_size, window)`, 1 where the cache is filled.
            training: Whether dropout is applied.

        Returns:
            `(outputs, cache)`, see `CachedAttention.extend`.
        """
        found = []

        def attend(x):
            y, new = self.attention.extend(x, cache, valid)
            found.extend(new)
            return y

        def feed_forward(x):
            return self._feed_forward(x, training)

        return self._chain(inputs, attend, None, feed_forward, training), found

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        return inputs_shape

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return super().get_config() | self.options


def _check(num_heads, mlp_dim, norm, activation, dropout, attention_dropout, **others):
    if norm not in NORMS or activation not in ACTIVATIONS:
        raise ValueError(
            f"`norm` must be one of {NORMS} and `activation` one of {ACTIVATIONS}. "
            f"Received: norm={norm!r}, activation={activation!r}"
        )
    if mlp_dim < 1:
        raise ValueError(f"`mlp_dim` must be positive. Received: mlp_dim={mlp_dim}")
    shares = (dropout, attention_dropout, others["activation_dropout"])
    if not all(0 <= share < 1 for share in shares):
        raise ValueError(
            "Dropouts must be in [0, 1). Received: (dropout, attention_dropout, "
            f"activation_dropout)={shares}"
        )
