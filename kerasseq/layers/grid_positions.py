"""Positions of the patches of an image, learned or sinusoidal."""

import keras
import numpy as np
from keras import ops

KINDS = ("learned", "sinusoidal")


@keras.saving.register_keras_serializable(package="kerasseq")
class GridPositions(keras.layers.Layer):
    """Adds the places of patches on the image's grid to their embeddings.

    `"learned"` keeps one vector for each place. Weights that were saved with another
    grid are interpolated (bicubic) when they are loaded, so that a model trained at
    one resolution goes on at another: build it for the new size and call
    `load_weights`. `"sinusoidal"` has no weights: half of the features tell the row,
    half the column, each as sines and cosines of wavelengths from 2 pi to 20,000 pi.

    Args:
        grid_shape: `(rows, columns)` of the patches.
        kind: `"learned"` or `"sinusoidal"`.
        num_prefix: Number of tokens before the patches, such as a class token. Each
            has a learned vector of its own (`"learned"`), or gets none.
        initializer: Initializer of learned positions. By default normal with a
            standard deviation of 0.02.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, num_prefix + rows * columns, features)`,
            patches row by row. Masks are not supported.

    Output shape:
        The shape of the inputs.

    Raises:
        ValueError: for an unknown kind, a length that is not that of the grid, or
            sinusoidal positions of features that four does not divide.

    Example:
        >>> layer = kerasseq.layers.PatchPositionEmbedding((7, 7), num_prefix=1)
        >>> layer(np.random.rand(32, 50, 64)).shape
        (32, 50, 64)

    Reference:
        Dosovitskiy et al. (2021), An Image is Worth 16x16 Words, section 3 (learned,
        interpolation); Beyer et al. (2022), Better plain ViT baselines for
        ImageNet-1k (sinusoidal in two dimensions).
    """

    def __init__(
        self, grid_shape, kind="learned", num_prefix=0, initializer=None, **kwargs
    ):
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ValueError(f"`kind` must be one of {KINDS}. Received: kind={kind!r}")
        if len(grid_shape) != 2 or min(grid_shape) < 1 or num_prefix < 0:
            raise ValueError(
                "`grid_shape` must be two positive sizes, rows and columns, and "
                f"`num_prefix` at least 0. Received: grid_shape={grid_shape}, "
                f"num_prefix={num_prefix}"
            )
        self.grid_shape = tuple(int(size) for size in grid_shape)
        self.kind = kind
        self.num_prefix = num_prefix
        if initializer is None:
            initializer = keras.initializers.RandomNormal(stddev=0.02)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        rows, columns = self.grid_shape
        length, features = input_shape[-2:]
        if len(input_shape) != 3 or length != self.num_prefix + rows * columns:
            raise ValueError(
                f"A grid of {rows} x {columns} with {self.num_prefix} tokens before it "
                "needs inputs of shape (batch_size, "
                f"{self.num_prefix + rows * columns}, features). Received: inputs of "
                f"shape {tuple(input_shape)}"
            )
        if self.kind == "sinusoidal":
            self._sinusoids = sinusoids(self.grid_shape, features)
            return
        make = self.add_weight
        if self.num_prefix:
            shape = (self.num_prefix, features)
            self.prefix = make(shape=shape, initializer=self.initializer, name="prefix")
        shape = (rows, columns, features)
        self.grid = make(shape=shape, initializer=self.initializer, name="grid")

    def call(self, inputs):
        return inputs + ops.expand_dims(self._positions(inputs.shape[-1]), 0)

    def _positions(self, features):
        if self.kind == "sinusoidal":
            positions = np.pad(self._sinusoids, ((self.num_prefix, 0), (0, 0)))
            return ops.cast(positions, self.compute_dtype)
        # (rows, columns, features) -> (rows * columns, features)
        positions = ops.reshape(self.grid, (-1, features))
        if self.num_prefix:
            positions = ops.concatenate([self.prefix, positions], axis=0)
        return positions

    def compute_output_shape(self, input_shape):
        return input_shape

    def load_own_variables(self, store):
        """Loads weights, interpolated if they are of another grid."""
        last = str(len(self.weights) - 1)  # the grid
        if last in store.keys() and store[last].shape[:2] != self.grid_shape:
            store = {key: store[key] for key in store.keys()}
            store[last] = resize_grid(store[last], self.grid_shape)
        super().load_own_variables(store)

    def get_config(self):
        return {
            **super().get_config(),
            "grid_shape": self.grid_shape,
            "kind": self.kind,
            "num_prefix": self.num_prefix,
            "initializer": keras.initializers.serialize(self.initializer),
        }


# What the field calls it. Files of weights hold the name of the class, so it stays.
PatchPositionEmbedding = GridPositions


def resize_grid(grid, grid_shape):
    """Interpolates learned positions `(rows, columns, features)` to another grid."""
    grid = ops.convert_to_tensor(np.asarray(grid, "float32"))
    resized = ops.image.resize(
        grid, grid_shape, interpolation="bicubic", data_format="channels_last"
    )
    return ops.convert_to_numpy(resized)


def sinusoids(grid_shape, features):
    """Sines and cosines of row and column, `(rows * columns, features)`."""
    if features % 4:
        raise ValueError(
            "Sinusoidal positions need features that four divides: sine and cosine "
            f"of row and column. Received: {features} features"
        )
    frequencies = 1e4 ** -(np.arange(features // 4) / max(features // 4 - 1, 1))
    rows, columns = np.indices(grid_shape).reshape(2, -1, 1) * frequencies
    parts = [np.sin(columns), np.cos(columns), np.sin(rows), np.cos(rows)]
    return np.concatenate(parts, axis=1).astype("float32")
