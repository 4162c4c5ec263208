"""Multi-head attention whose keys and values can be kept from step to step."""

import math

import keras
import numpy as np
from keras import ops as kops

from kerasseq import ops

POSITIONS = ("rotary", "alibi")


@keras.saving.register_keras_serializable(package="kerasseq")
class CachedAttention(keras.layers.Layer):
    """Attention of a sequence over itself or over a memory, with or without a cache.

        softmax(Q K^T / sqrt(key_dim) + bias) V

    In training all positions are computed at once. In decoding `step` computes one
    and keeps its key and value in a cache of fixed shape, which is what XLA and a
    phone need. Both give the same outputs.

    `num_key_value_heads` below `num_heads` is grouped-query attention: groups of heads
    share keys and values, and the cache is smaller.

    Args:
        num_heads: Number of heads; divides the features of the inputs.
        num_key_value_heads: Heads of keys and values; divides `num_heads`. By default
            `num_heads`.
        causal: Whether a position sees only itself and those before it. Needed for
            `step`.
        cross_attention: Whether keys and values are made of a memory instead of the
            inputs.
        positions: `None`; `"rotary"`: queries and keys are turned by their position
            (Su et al., 2021, equation 34), the first half of the features against the
            second; `"alibi"`: scores fall with the distance (Press et al., 2022).
            Attention over a memory takes none.
        dropout: Share of attention weights dropped in training.
        use_bias: Whether the linear maps have a bias.
        seed: Random seed of the dropout.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`.
        memory: With `cross_attention=True`, tensor of shape `(batch_size,
            memory_length, memory_features)`.
        mask: Boolean tensor `(batch_size, length)`, or `(batch_size, memory_length)`:
            which positions may be looked at. A row without one looks at all alike.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, length, features)`.

    Raises:
        ValueError: for heads that do not divide, an unknown kind of positions, or an
            odd number of features a head with `"rotary"`.

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
        groups = num_heads if num_key_value_heads is None else num_key_value_heads
        if min(num_heads, groups) < 1 or num_heads % groups:
            raise ValueError(
                "`num_heads` and `num_key_value_heads` must be positive and the second "
                f"divide the first. Received: num_heads={num_heads}, "
                f"num_key_value_heads={num_key_value_heads}"
            )
        if positions not in (None, *POSITIONS) or (
            cross_attention and (positions or causal)
        ):
            raise ValueError(
                f"`positions` must be None or one of {POSITIONS}; attention over a "
                "memory has neither positions nor a causal order. Received: "
                f"positions={positions!r}, cross_attention={cross_attention}, "
                f"causal={causal}"
            )
        self.num_heads = num_heads
        self.num_key_value_heads = groups
        self.causal = causal
        self.cross_attention = cross_attention
        self.positions = positions
        self.dropout = dropout
        self.use_bias = use_bias
        self.seed = seed
        self.drop = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy)
        self.supports_masking = True

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
                "Rotary positions need an even number of features a head. Received: "
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
        if self.cross_attention:
            queries = self._heads(self._flat(self.query, inputs))
            keys, values = self.project(memory)
        else:
            queries, keys, values = self._split(
                self._flat(self.query_key_value, inputs)
            )
        length, key_length = kops.shape(queries)[1], kops.shape(keys)[1]
        here = kops.arange(length, dtype="int32")
        if self.positions == "rotary":
            queries, keys = (ops.rotate(x, here[None]) for x in (queries, keys))
        there = kops.arange(key_length, dtype="int32")
        bias = self._bias(here[None], there[None])
        if mask is not None:
            masked = kops.where(mask, 0.0, ops.MASKED_SCORE)
            bias = bias + kops.cast(masked, "float32")[:, None, None]
        drop = (lambda x: self.drop(x, training=True)) if training else None
        outputs, _ = ops.multi_head_attention(queries, keys, values, bias, drop)
        return self._flat(self.output_dense, outputs)

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
        """Looks from one position at a memory that `project` has prepared.

        Args:
            inputs: Tensor of shape `(batch_size, features)`.
            keys, values: Tensors from `project`.
            bias: Tensor `(batch_size, memory_length)`, 0 where the memory may be seen
                and `kerasseq.ops.MASKED_SCORE` elsewhere.

        Returns:
            `(outputs, weights)`: `(batch_size, features)`, and the mean over the heads
            of the attention weights, `(batch_size, memory_length)`.
        """
        queries = self._heads(self.query(inputs)[:, None])
        bias = kops.cast(bias, "float32")[:, None, None]
        outputs, weights = ops.multi_head_attention(queries, keys, values, bias)
        weights = kops.mean(weights[:, :, 0], axis=1)
        return self._merge_one(outputs), weights

    def empty_cache(self, batch_size, max_length):
        """Keys and values of no positions, `(batch_size, max_length, ...)` each."""
        shape = (batch_size, max_length, self.num_key_value_heads, self.key_dim)
        return [kops.zeros(shape, self.compute_dtype) for _ in range(2)]

    def step(self, inputs, cache, position):
        """Computes one position, and keeps its key and value.

        Args:
            inputs: Tensor of shape `(batch_size, features)`.
            cache: `[keys, values]`, from `empty_cache` or the step before.
            position: int32 tensor `(batch_size,)`, counted from 0.

        Returns:
            `(outputs, cache)`, `(batch_size, features)` and the new `[keys, values]`.
        """
        position = position[:, None]
        queries, keys, values = self._split(self.query_key_value(inputs)[:, None])
        if self.positions == "rotary":
            queries, keys = (ops.rotate(x, position) for x in (queries, keys))
        there = kops.arange(cache[0].shape[1], dtype="int32")[None]
        here = kops.equal(there, position)[:, :, None, None]
        cache = [
            kops.where(here, new, old)
            for new, old in zip((keys, values), cache, strict=True)
        ]
        bias = self._bias(position, there)
        outputs, _ = ops.multi_head_attention(queries, *cache, bias)
        return self._merge_one(outputs), cache

    def extend(self, inputs, cache, valid):
        """Computes some more positions, which see those of a window before them too.

        Positions are those inside the window, so that a text may be of any length; a
        position sees as far back as the cache is long, however many come at once.

        Args:
            inputs: Tensor of shape `(batch_size, length, features)`.
            cache: `[keys, values]`, as from `empty_cache`, of the positions before.
            valid: Float tensor `(batch_size, window)`, 1 where the cache is filled.

        Returns:
            `(outputs, cache)`: `(batch_size, length, features)`, and keys and values
            of the last positions.
        """
        length, window = kops.shape(inputs)[1], cache[0].shape[1]
        queries, keys, values = self._split(self._flat(self.query_key_value, inputs))
        keys, values = (
            kops.concatenate([old, new], axis=1)
            for old, new in zip(cache, (keys, values), strict=True)
        )
        cache = [
            kops.reshape(x[:, length:], (-1, *old.shape[1:]))
            for x, old in zip((keys, values), cache, strict=True)
        ]
        there = kops.arange(window + length, dtype="int32")[None]
        here = there[:, window:]
        if self.positions == "rotary":
            queries, keys = ops.rotate(queries, here), ops.rotate(keys, there)
        bias = self._bias(here, there)
        bias = kops.where(
            here[:, None, :, None] - there[:, None, None] > window,
            ops.MASKED_SCORE,
            bias,
        )
        filled = kops.concatenate([valid, kops.ones_like(inputs[:, :, 0])], axis=1)
        empty = kops.cast(filled < 0.5, "float32") * ops.MASKED_SCORE
        bias = bias + empty[:, None, None]
        outputs, _ = ops.multi_head_attention(queries, keys, values, bias)
        return self._flat(self.output_dense, outputs), cache

    def _merge_one(self, x):
        """The heads of one position to `(batch_size, features)`."""
        return self.output_dense(kops.reshape(x, (-1, self.num_heads * self.key_dim)))

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
        shape = kops.shape(x)
        if len(x.shape) == 4:
            x = kops.reshape(x, (-1, x.shape[2] * x.shape[3]))
        else:
            x = kops.reshape(x, (-1, x.shape[-1]))
        return kops.reshape(layer(x), (-1, shape[1], layer.units))

    def _heads(self, x):
        return kops.reshape(
            x, (-1, kops.shape(x)[1], x.shape[-1] // self.key_dim, self.key_dim)
        )

    def _split(self, x):
        width, groups = self.num_heads, self.num_key_value_heads
        return kops.split(self._heads(x), [width, width + groups], axis=2)

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        return inputs_shape

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return super().get_config() | {
            "num_heads": self.num_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "causal": self.causal,
            "cross_attention": self.cross_attention,
            "positions": self.positions,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "seed": self.seed,
        }
