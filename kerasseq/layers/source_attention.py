"""Attention of one query, a decoder's state, over a source sequence."""

import keras
from keras import ops as kops

from kerasseq import ops

KINDS = ("additive", "dot", "general")


class SourceAttention(keras.layers.Layer):
    """Part of `AttentionDecoder`: scores, softmax, and the weighted sum of the source.

    Args:
        units: Size of the query.
        kind: `"additive"` (Bahdanau), `"dot"`, which needs a source as wide as the
            query, or `"general"` (Luong).
        scale_scores: Whether `"dot"` and `"general"` scores are divided by the square
            root of `units`.
        **kwargs: Other arguments of `keras.layers.Layer`.
    """

    def __init__(self, units, kind, scale_scores, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kind = kind
        scaled = scale_scores and kind != "additive"
        self.scale = units**-0.5 if scaled else 1.0
        self.query_dense = self._projection("query") if kind == "additive" else None
        self.key_dense = self._projection("key") if kind != "dot" else None

    def _projection(self, name):
        return keras.layers.Dense(
            self.units, use_bias=False, dtype=self.dtype_policy, name=name
        )

    def build(self, memory_shape):
        features = memory_shape[-1]
        if self.kind == "dot" and features != self.units:
            raise ValueError(
                'attention="dot" needs a memory as wide as the decoder. Received: '
                f"units={self.units}, memory of shape {tuple(memory_shape)}. "
                'Use attention="general", which projects the memory.'
            )
        if self.query_dense:
            self.query_dense.build((None, self.units))
            self.score_kernel = self.add_weight(
                shape=(self.units,), name="score_kernel"
            )
        if self.key_dense:
            self.key_dense.build((None, None, features))

    def start(self, memory, mask=None):
        """What stays the same for all queries.

        Args:
            memory: Tensor of shape `(batch_size, source_length, features)`.
            mask: Optional boolean tensor `(batch_size, source_length)`.

        Returns:
            A dict of the tensors `memory`, `keys` and `bias`.
        """
        if mask is None:
            shape = kops.shape(memory)[:2]
            bias = kops.zeros(shape, self.compute_dtype)
        else:
            bias = kops.where(mask, 0.0, ops.MASKED_SCORE)
        keys = self.key_dense(memory) if self.key_dense else memory
        return {
            "memory": memory,
            # Here it is done once for all queries.
            "keys": keys * self.scale if self.scale != 1 else keys,
            "bias": kops.cast(bias, self.compute_dtype),
        }

    def attend(self, query, context):
        """Attends to the source.

        Args:
            query: Tensor of shape `(batch_size, units)`.
            context: Dict from `start`.

        Returns:
            `(attended, weights)`, `(batch_size, features)` and
            `(batch_size, source_length)`.
        """
        if self.kind == "additive":
            query = self.query_dense(query)
            scores = ops.additive_scores(query, context["keys"], self.score_kernel)
        else:
            scores = ops.dot_scores(query, context["keys"])
        return ops.attend(scores, context["memory"], context["bias"])

    def attend_all(self, queries, context):
        """Attends to the source at all steps.

        Args:
            queries: Tensor of shape `(batch_size, target_length, units)`.
            context: Dict from `start`.

        Returns:
            `(attended, weights)`, `(batch_size, target_length, features)` and
            `(batch_size, target_length, source_length)`.
        """
        if self.kind == "additive":
            weights = [kops.cast(x, queries.dtype) for x in self.score_weights]
            scores = ops.additive_scores_of_steps(queries, context["keys"], *weights)
        else:
            scores = ops.dot_scores(queries, context["keys"])
        return ops.attend(scores, context["memory"], context["bias"])

    @property
    def score_weights(self):
        """The weights of the scores, but for what makes the keys."""
        if self.kind != "additive":
            return []
        return [self.query_dense.kernel, self.score_kernel]
