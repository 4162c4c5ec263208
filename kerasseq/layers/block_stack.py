"""A number of Transformer blocks: what encoder, decoder and window share."""

import keras

from kerasseq.layers import _arguments, transformer_block

BLOCK = transformer_block.TransformerBlock


class BlockStack(keras.layers.Layer):
    """Base of the stacks of `TransformerBlock`.

    Takes the arguments of the block, which its signature lists, and has them as
    attributes, except those that the stack `decides` itself.

    Args:
        num_layers: Number of blocks.
        num_heads, mlp_dim: See `TransformerBlock`.
        block_positions: `positions` of the blocks.
        **kwargs: Other arguments of `TransformerBlock` and of `keras.layers.Layer`.
    """

    decides = {"causal": True, "cross_attention": False}

    def __init__(self, num_layers, num_heads, mlp_dim, block_positions, **kwargs):
        given = {name: kwargs.pop(name) for name in self._taken() if name in kwargs}
        super().__init__(**kwargs)
        _arguments.check_positive(num_layers=num_layers)
        options = {name: _arguments.defaults(BLOCK)[name] for name in self._taken()}
        for name, value in (options | given).items():
            setattr(self, name, value)
        options = self.decides | options | given
        self.blocks = [
            BLOCK(
                num_heads,
                mlp_dim,
                positions=block_positions,
                dtype=self.dtype_policy,
                name=f"block_{index}",
                **options,
            )
            for index in range(num_layers)
        ]
        self.final_norm = self.blocks[0].make_norm("norm") if self.norm_first else None

    @classmethod
    def _taken(cls):
        """Names of the block's arguments that come by `kwargs`."""
        own = ("positions", *cls.decides)
        return [name for name in _arguments.defaults(BLOCK) if name not in own]

    def _build_blocks(self, inputs_shape, *memory_shape):
        for block in self.blocks:
            block.build(inputs_shape, *memory_shape)
        if self.final_norm is not None:
            self.final_norm.build(inputs_shape)

    def _finish(self, x):
        """Blocks that normalize their inputs leave the last outputs to this."""
        return x if self.final_norm is None else self.final_norm(x)

    def get_config(self):
        taken = {name: getattr(self, name) for name in self._taken()}
        return super().get_config() | taken
