"""A causal Transformer that looks back over a window, and carries it as its state."""

import keras
from keras import ops

from kerasseq.layers.transformer_block import make_blocks

POSITIONS = ("rotary", "alibi")


@keras.saving.register_keras_serializable(package="kerasseq")
class WindowTransformer(keras.layers.Layer):
    """Blocks of causal self-attention over the last `window` positions.

    The keys and values of the window go in as states and come out again, as the
    states of a recurrent layer do: a text may be computed at once, in chunks of any
    length, or token by token, and outputs are the same. No gradient flows from chunk
    to chunk through the states that a caller feeds. States are zeros at the start.

    Args:
        num_layers: Number of blocks.
        num_heads: Attention heads; divides the features of the inputs.
        mlp_dim: Width of the feed-forward hidden layers.
        window: Number of earlier positions that a position sees.
        positions: `"rotary"` or `"alibi"`: both know distances alone, which is what
            a window needs.
        norm_first: Whether blocks normalize their inputs; then the outputs of the last
            one are normalized too.
        dropout: Dropout of what each part of a block adds.
        **kwargs: Other arguments of `kerasseq.layers.TransformerBlock`, but for those
            of a memory and of attention weights' dropout, and of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`.
        initial_state: List of tensors, see `state_shapes`; zeros by default.
        training: Whether dropout is applied.

    Output shape:
        A list: `(batch_size, length, features)`, then the states.

    Raises:
        ValueError: for sizes that are not positive or unknown names.

    Example:
        >>> layer = kerasseq.layers.WindowTransformer(2, 4, 64, window=32)
        >>> outputs, *states = layer(np.random.rand(2, 7, 16))
        >>> outputs.shape, len(states), states[1].shape
        ((2, 7, 16), 5, (2, 32, 4, 4))

    Reference:
        Dai et al. (2019), Transformer-XL; Su et al. (2021), RoFormer; Press et al.
        (2022), Train Short, Test Long.
    """

    def __init__(
        self,
        num_layers,
        num_heads,
        mlp_dim,
        window,
        positions="rotary",
        norm_first=True,
        dropout=0.0,
        **kwargs,
    ):
        names = ("num_key_value_heads", "norm", "activation", "activation_dropout")
        names += ("use_bias", "epsilon", "seed")
        block = {name: kwargs.pop(name) for name in names if name in kwargs}
        super().__init__(**kwargs)
        if window < 1 or positions not in POSITIONS:
            raise ValueError(
                f"`window` must be positive and `positions` one of {POSITIONS}. "
                f"Received: window={window}, positions={positions!r}"
            )
        self.options = block | {
            "num_layers": num_layers,
            "num_heads": num_heads,
            "mlp_dim": mlp_dim,
            "window": window,
            "positions": positions,
            "norm_first": norm_first,
            "dropout": dropout,
        }
        self.blocks, self.norm = make_blocks(
            num_layers,
            norm_first,
            num_heads=num_heads,
            mlp_dim=mlp_dim,
            causal=True,
            positions=positions,
            dropout=dropout,
            dtype=self.dtype_policy,
            **block,
        )

    def build(self, inputs_shape, initial_state_shape=None):
        for block in self.blocks:
            block.build(inputs_shape)
        if self.norm is not None:
            self.norm.build(inputs_shape)

    def state_shapes(self, features):
        """Shapes of the states without the batch: which of the window is filled, 1 or
        0, then keys and values of each block.

        Args:
            features: Features of the inputs.
        """
        window, heads = self.options["window"], self.options["num_heads"]
        groups = self.options.get("num_key_value_heads") or heads
        kept = (window, groups, features // heads)
        return [(window,), *[kept] * (2 * len(self.blocks))]

    def call(self, inputs, initial_state=None, training=False):
        if initial_state is None:
            batch_size = ops.shape(inputs)[0]
            initial_state = [
                ops.zeros((batch_size, *shape), self.compute_dtype)
                for shape in self.state_shapes(inputs.shape[-1])
            ]
        valid, *caches = initial_state
        caches = [ops.cast(x, self.compute_dtype) for x in caches]
        x, states = inputs, []
        for index, block in enumerate(self.blocks):
            cache = caches[2 * index : 2 * index + 2]
            x, cache = block.extend(x, cache, valid, training)
            states += cache
        more = ops.ones_like(inputs[:, :, 0])
        filled = ops.concatenate([ops.cast(valid, more.dtype), more], axis=1)
        filled = filled[:, ops.shape(inputs)[1] :]
        filled = ops.reshape(filled, (-1, self.options["window"]))
        return [x if self.norm is None else self.norm(x), filled, *states]

    def compute_output_shape(self, inputs_shape, initial_state_shape=None):
        shapes = self.state_shapes(inputs_shape[-1])
        return [tuple(inputs_shape), *((inputs_shape[0], *shape) for shape in shapes)]

    def get_config(self):
        return super().get_config() | self.options
