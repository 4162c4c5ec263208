"""Multi-head attention whose keys and values can be kept from step to step."""

import math

import keras
import numpy as np
from keras import ops as kops

from kerasseq import ops
from kerasseq.layers import _arguments, key_value_cache
from kerasseq.layers import dropout as dropout_layer

POSITIONS = ("rotary", "alibi")


@keras.saving.register_keras_serializable(package="kerasseq")
class CachedAttention(keras.layers.Layer):
    """Attention of a sequence over itself or over a memory, with or without a cache.

        softmax(Q K^T / sqrt(key_dim) + bias) V

    In training all positions are computed at once. In decoding `extend` computes one
    or some, with the keys and values of those before in a cache of fixed shape, which
    is what XLA and a phone need. Both give the same outputs.

    `num_key_value_heads` below `num_heads` is grouped-query attention: groups of heads
    share keys and values, and the cache is smaller.

    Args:
        num_heads: Number of heads; divides the features of the inputs.
        num_key_value_heads: Heads of keys and values; divides `num_heads`. By default
            `num_heads`.
        causal: Whether a position sees only itself and those before it. Needed for
            `extend`.
        cross_attention: Whether keys and values are made of a memory instead of the
            inputs.
        positions: `None`; `"rotary"`: queries and keys are turned by their position
            (Su et al., 2021, equation 34), the first half of the features against the
            second; `"alibi"`: scores fall with the distance (Press et al., 2022).
            Attention over a memory takes none.
        dropout: Float between 0 and 1. Fraction of the attention weights to drop.
        use_bias: Whether the linear maps have a bias.
        seed: Random seed of the dropout.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`.
        memory: With `cross_attention=True`, tensor of shape `(batch_size,
            memory_length, memory_features)`.
        mask: Boolean tensor `(batch_size, length)`, or `(batch_size, memory_length)`:
            which positions may be seen. A row without one attends to all alike.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, length, features)`.

    Raises:
        ValueError: for heads that do not divide, an unknown kind of positions, or an
            odd number of features per head with `"rotary"`.

    Example:
        >>> layer = kerasseq.layers.CachedAttention(4, causal=True)
        >>> layer(np.random.rand(2, 7, 16)).shape
        (2, 7, 16)

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, section 3.2; Ainslie et al.
        (2023), GQA; Su et al. (2021), RoFormer; Press et al. (2022), Train Short, Test
        Long.
    """

    def __init__(
        self,
        num_heads,
        num_key_value_heads=None,
        causal=False,
        cross_attention=False,
        positions=None,
        dropout=0.0,
        use_bias=True,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _arguments.assign(self, CachedAttention, locals())
        self._check()
        self.num_key_value_heads = num_key_value_heads or num_heads
        self.drop = dropout_layer.Dropout(dropout, seed=seed, dtype=self.dtype_policy)
        self.supports_masking = True

    def _check(self):
        heads, groups = self.num_heads, self.num_key_value_heads
        groups = heads if groups is None else groups
        if min(heads, groups) < 1 or heads % groups:
            raise ValueError(
                "`num_heads` and `num_key_value_heads` must be positive and the second "
                f"divide the first. Received: num_heads={heads}, "
                f"num_key_value_heads={self.num_key_value_heads}"
            )
        placed = self.positions or self.causal
        known = self.positions in (None, *POSITIONS)
        if not known or (self.cross_attention and placed):
            raise ValueError(
                f"`positions` must be None or one of {POSITIONS}; attention over a "
                "memory has neither positions nor a causal order. Received: "
                f"positions={self.positions!r}, "
                f"cross_attention={self.cross_attention}, causal={self.causal}"
            )

    def build(self, inputs_shape, memory_shape=None):
        features = inputs_shape[-1]
        self.key_dim, rest = divmod(features, self.num_heads)
        if rest:
            raise ValueError(
                "`num_heads` must divide the features of the inputs. Received: "
                f"num_heads={self.num_heads}, inputs of shape {tuple(inputs_shape)}"
            )
        if self.positions == "rotary" and self.key_dim % 2:
            raise ValueError(
                "Rotary positions need an even number of features per head. Received: "
                f"{features} features, num_heads={self.num_heads}"
            )
        kept = 2 * self.num_key_value_heads * self.key_dim
        if self.cross_attention:
            self.query = self._dense(features, features, "query")
            self.key_value = self._dense(kept, memory_shape[-1], "key_value")
        else:
            self.query_key_value = self._dense(
                features + kept, features, "query_key_value"
            )
        self.output_dense = self._dense(features, features, "output")

    def _dense(self, units, features, name):
        # Glorot's limit is that of one map, not of several side by side.
        limit = math.sqrt(6 / (features + self.num_heads * self.key_dim))
        layer = keras.layers.Dense(
            units,
            use_bias=self.use_bias,
            kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build((None, features))
        return layer

    def call(self, inputs, memory=None, mask=None, training=False):
        bias = 0.0
        if mask is not None:
            masked = kops.where(mask, 0.0, ops.MASKED_SCORE)
            # (batch_size, 1, 1, key_length)
            bias = kops.cast(masked, "float32")[:, None, None]
        if self.cross_attention:
            queries = self._heads(self._flat(self.query, inputs))
            keys, values = self.project(memory)
            return self._attend(queries, keys, values, bias, training)[0]
        cache = key_value_cache.NoCache()
        return self._attend_to_itself(inputs, cache, bias, training)[0]

    def project(self, memory):
        """Keys and values of a memory, for `attend`.

        Args:
            memory: Tensor of shape `(batch_size, memory_length, memory_features)`.

        Returns:
            `(keys, values)`, each `(batch_size, memory_length, num_key_value_heads,
            key_dim)`.
        """
        return kops.split(self._heads(self._flat(self.key_value, memory)), 2, axis=2)

    def attend(self, inputs, keys, values, bias):
        """Attends to a memory that `project` has prepared.

        Args:
            inputs: Tensor of shape `(batch_size, length, features)`.
            keys, values: Tensors from `project`.
            bias: Tensor `(batch_size, memory_length)`, 0 where the memory may be seen
                and `kerasseq.ops.MASKED_SCORE` elsewhere.

        Returns:
            `(outputs, weights)`: `(batch_size, length, features)`, and the attention
            weights, `(batch_size, num_heads, length, memory_length)`.
        """
        queries = self._heads(self._flat(self.query, inputs))
        bias = kops.cast(bias, "float32")[:, None, None]
        return self._attend(queries, keys, values, bias)

    def empty_cache(self, batch_size, max_length):
        """Keys and values of no positions, `(batch_size, max_length, ...)` each."""
        shape = (batch_size, *self.cache_shape(max_length))
        return [kops.zeros(shape, self.compute_dtype) for _ in range(2)]

    def cache_shape(self, max_length):
        """Shape of the keys, and of the values, of so many positions of a row."""
        if not self.built:
            raise ValueError(
                "The shape of a cache follows from the features of the inputs: build "
                f"the layer first. Received: layer '{self.name}', which is not built"
            )
        return (max_length, self.num_key_value_heads, self.key_dim)

    def extend(self, inputs, cache, training=False):
        """Computes new positions, which see those in a cache too.

        Args:
            inputs: Tensor of shape `(batch_size, length, features)`.
            cache: A policy of `kerasseq.layers.key_value_cache` with the keys and
                values: `FixedCache` for one position, `SlidingCache` for some.
            training: Whether dropout is applied.

        Returns:
            `(outputs, cache)`: `(batch_size, length, features)`, and the new `[keys,
            values]`.
        """
        return self._attend_to_itself(inputs, cache, 0.0, training)

    def _attend_to_itself(self, inputs, cache, bias, training):
        """Self-attention: one projection, and a policy where keys and values lie."""
        joined = cache.join(*self._split(inputs), self._rotate)
        bias = bias + self._bias(joined.here, joined.there)
        if joined.hidden is not None:
            bias = bias + kops.cast(joined.hidden, "float32") * ops.MASKED_SCORE
        keys_and_values = joined.keys, joined.values
        outputs, _ = self._attend(joined.queries, *keys_and_values, bias, training)
        return outputs, joined.cache

    def _attend(self, queries, keys, values, bias, training=False):
        """The attention of all kinds: softmax, weighted sum, output map."""
        drop = (lambda x: self.drop(x, training=True)) if training else None
        outputs, weights = ops.multi_head_attention(queries, keys, values, bias, drop)
        return self._flat(self.output_dense, outputs), weights

    def _rotate(self, x, positions):
        return ops.rotate(x, positions) if self.positions == "rotary" else x

    def _bias(self, here, there):
        """What is added to the scores, `(batch or 1, num_heads or 1, here, there)`."""
        distance = (here[:, :, None] - there[:, None])[:, None]
        bias = kops.zeros_like(kops.cast(distance, "float32"))
        if self.positions == "alibi":
            fall = kops.cast(kops.absolute(distance), "float32")
            slopes = np.reshape(ops.alibi_slopes(self.num_heads), (1, -1, 1, 1))
            bias = -fall * kops.convert_to_tensor(slopes)
        if self.causal:
            bias = kops.where(distance < 0, ops.MASKED_SCORE, bias)
        return bias

    def _flat(self, layer, x):
        """A linear map of all tokens in one product, also of the gradient."""
        length = kops.shape(x)[1]
        # (batch_size, length, ...) -> (batch_size * length, features) and back
        x = kops.reshape(x, (-1, math.prod(x.shape[2:])))
        return kops.reshape(layer(x), (-1, length, layer.units))

    def _heads(self, x):
        """`(batch_size, length, features)` to `(batch_size, length, heads, key_dim)`"""
        heads = x.shape[-1] // self.key_dim
        return kops.reshape(x, (-1, kops.shape(x)[1], heads, self.key_dim))

    def _split(self, inputs):
        """Queries, keys and values, `(batch_size, length, heads, key_dim)` each."""
        x = self._heads(self._flat(self.query_key_value, inputs))
        width, groups = self.num_heads, self.num_key_value_heads
        return kops.split(x, [width, width + groups], axis=2)

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        return inputs_shape

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return super().get_config() | _arguments.config(self, CachedAttention)
