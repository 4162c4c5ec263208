"""Multi-head attention that trains faster where a sequence attends to itself."""

import keras
from keras import ops

from kerasseq.layers import dropout as dropout_layer


@keras.saving.register_keras_serializable(package="kerasseq")
class MultiHeadAttention(keras.layers.MultiHeadAttention):
    """`keras.layers.MultiHeadAttention`, faster to train on one sequence.

    Arguments, weights, masks and results are those of the base class; weights, files
    of weights and configurations go both ways. In training, called on one sequence
    without a mask, it makes queries, keys and values in one product over all tokens of
    the batch. The base class makes three, and on TensorFlow the gradients of their
    weights example by example: one matrix each, summed afterwards. In every other call
    it is the base class, so that an exported model has the base class's ops.

    Args:
        num_heads: Number of attention heads.
        key_dim: Features of a head's queries and keys.
        **kwargs: Other arguments of `keras.layers.MultiHeadAttention`.

    Call arguments:
        query: Tensor of shape `(batch_size, length, features)`.
        value: The same tensor, or another as in the base class.
        return_attention_scores: Whether the weights of attention are returned too.
        training: Whether to train. All other arguments are those of the base class,
            masks too.

    Output shape:
        `(batch_size, length, features)`; with `return_attention_scores=True` also
        `(batch_size, num_heads, length, length)`.

    Example:
        >>> layer = kerasseq.layers.MultiHeadAttention(num_heads=2, key_dim=32)
        >>> x = np.random.rand(8, 50, 64)
        >>> layer(x, x, training=True).shape
        (8, 50, 64)

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, section 3.2.
    """

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        masks = (query_mask, value_mask, key_mask, attention_mask)
        masked = use_causal_mask or any(mask is not None for mask in masks)
        one_sequence = value is query and key is None
        if training and one_sequence and not masked and self._is_plain(query):
            outputs, scores = self._compute_attention(
                *self._project(query),
                training=training,
                return_attention_scores=return_attention_scores,
            )
            outputs = self._join(outputs, query.shape)
            return (outputs, scores) if return_attention_scores else outputs
        return super().call(
            query,
            value,
            key=key,
            query_mask=query_mask,
            value_mask=value_mask,
            key_mask=key_mask,
            attention_mask=attention_mask,
            return_attention_scores=return_attention_scores,
            training=training,
            use_causal_mask=use_causal_mask,
        )

    def _build_attention(self, rank):
        super()._build_attention(rank)
        self._layers.remove(self._dropout_layer)
        self._dropout_layer = dropout_layer.Dropout(
            self.dropout, seed=self.seed, dtype=self.dtype_policy
        )

    def _is_plain(self, x):
        """Whether the layer has no options beside the weights, and they are floats."""
        config = self.get_config()
        unused = ("use_gate", "output_shape", "sliding_window")
        return (
            len(x.shape) == 3
            and x.shape[1] is not None
            and not any(config[name] for name in unused)
            and self.query_dense.activity_regularizer is None
            and self.query_dense.quantization_mode is None
        )

    def _project(self, x):
        """Queries, keys and values, `(batch_size, length, num_heads, key_dim)`."""
        length, features = x.shape[1:]
        parts = (self.query_dense, self.key_dense, self.value_dense)
        # (features, num_heads, key_dim) -> (features, num_heads * key_dim)
        kernels = [ops.reshape(part.kernel, (features, -1)) for part in parts]
        # All tokens of the batch, (batch_size * length, features), in one product.
        y = ops.reshape(x, (-1, features)) @ ops.concatenate(kernels, axis=-1)
        if self.use_bias:
            biases = [ops.reshape(part.bias, (-1,)) for part in parts]
            y = y + ops.concatenate(biases)
        width = self.num_heads * self.key_dim
        return [
            ops.reshape(part, (-1, length, self.num_heads, dim))
            for part, dim in zip(
                ops.split(y, [width, 2 * width], axis=-1),
                (self.key_dim, self.key_dim, self.value_dim),
                strict=True,
            )
        ]

    def _join(self, x, shape):
        """All heads of a token to `(batch_size, length, features)`."""
        _, length, features = shape
        width = self.num_heads * self.value_dim
        # (num_heads, key_dim, features) -> (num_heads * key_dim, features)
        kernel = ops.reshape(self.output_dense.kernel, (width, features))
        y = ops.reshape(x, (-1, width)) @ kernel
        if self.use_bias:
            y = y + self.output_dense.bias
        return ops.reshape(y, (-1, length, features))
