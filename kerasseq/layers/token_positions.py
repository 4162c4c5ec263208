"""Positions of tokens, learned or sinusoidal, for whole sequences and single steps."""

import keras
import numpy as np
from keras import ops

KINDS = ("sinusoidal", "learned")


@keras.saving.register_keras_serializable(package="kerasseq")
class TokenPositions(keras.layers.Layer):
    """Adds the position of each token to its embedding.

        PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i+1) = cos(pos / 10000^(2i/d))

    In place of the interleaved order all sines come first and then all cosines, which
    a network cannot tell apart.

    Args:
        max_length: Number of positions.
        kind: `"sinusoidal"`, which has no weights, or `"learned"`.
        initializer: Initializer of learned positions. By default normal with a
            standard deviation of 0.02.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`, of `max_length`
            tokens at most.

    Output shape:
        The shape of the inputs.

    Raises:
        ValueError: for an unknown kind, a sequence that is too long, or an odd number
            of features with `"sinusoidal"`.

    Example:
        >>> kerasseq.layers.PositionEmbedding(100)(np.random.rand(2, 7, 16)).shape
        (2, 7, 16)

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, section 3.5; Gehring et al.
        (2017) for learned positions.
    """

    def __init__(self, max_length, kind="sinusoidal", initializer=None, **kwargs):
        super().__init__(**kwargs)
        if kind not in KINDS or max_length < 1:
            raise ValueError(
                f"`kind` must be one of {KINDS} and `max_length` positive. Received: "
                f"kind={kind!r}, max_length={max_length}"
            )
        self.max_length = max_length
        self.kind = kind
        if initializer is None:
            initializer = keras.initializers.RandomNormal(stddev=0.02)
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, input_shape):
        features = input_shape[-1]
        if self.kind == "learned":
            self.table = self.add_weight(
                shape=(self.max_length, features),
                initializer=self.initializer,
                name="table",
            )
            return
        if features % 2:
            raise ValueError(
                "Sinusoidal positions need an even number of features. Received: "
                f"inputs of shape {tuple(input_shape)}"
            )
        frequencies = 1e4 ** (-2 * np.arange(features // 2) / features)
        angles = np.arange(self.max_length)[:, None] * frequencies
        parts = [np.sin(angles), np.cos(angles)]
        self.table = np.concatenate(parts, axis=1).astype("float32")

    def call(self, inputs):
        length = inputs.shape[1]
        if length is not None and length > self.max_length:
            raise ValueError(
                f"The positions reach to a length of {self.max_length}; build the "
                f"layer with a larger `max_length`. Received: a length of {length}"
            )
        here = ops.arange(ops.shape(inputs)[1], dtype="int32")
        return inputs + self._at(here)[None]

    def step(self, inputs, position):
        """Adds the position of one token.

        Args:
            inputs: Tensor of shape `(batch_size, features)`.
            position: int32 tensor `(batch_size,)`, counted from 0.

        Returns:
            Tensor of shape `(batch_size, features)`.
        """
        return inputs + self._at(position)

    def _at(self, positions):
        table = ops.cast(ops.convert_to_tensor(self.table), self.compute_dtype)
        return ops.take(table, positions, axis=0)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {
            "max_length": self.max_length,
            "kind": self.kind,
            "initializer": keras.initializers.serialize(self.initializer),
        }


# What the field calls it. Files of weights hold the name of the class, so it stays.
PositionEmbedding = TokenPositions
