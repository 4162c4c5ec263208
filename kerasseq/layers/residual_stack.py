"""Blocks that read a sequence in linear time, on top of each other."""

import functools
import typing

import keras

from kerasseq.layers import (
    _arguments,
    _state_block,
    _state_protocol,
    mamba,
    mamba2,
    rwkv4,
    rwkv7,
    s4d,
)
from kerasseq.layers import dropout as dropout_layer


class Block(typing.NamedTuple):
    """What a stack knows of a block beside its class.

    Attributes:
        layer: The class: `(batch_size, length, units)` in and out, with the state
            protocol.
        norm: Makes the norm of its input; `None` for a block with norms of its own,
            whose stack normalizes its inputs once.
        options: `(index, num_layers) -> options` of the block at a place of a stack.
    """

    layer: type
    norm: typing.Callable | None = None
    options: typing.Callable = lambda index, num_layers: {}


def _place(index, num_layers):
    return {"depth": index / num_layers}


def _after_the_first(index, num_layers):
    """The first block hands its values on to the others."""
    kind = {"value_residual": index > 0, "return_value": index == 0 < num_layers - 1}
    return _place(index, num_layers) | kind


_layer_norm = functools.partial(keras.layers.LayerNormalization, epsilon=1e-5)
_rms_norm = functools.partial(keras.layers.RMSNormalization, epsilon=1e-5)
BLOCKS = {
    "s4d": Block(s4d.S4D, _layer_norm),
    "mamba": Block(mamba.Mamba, _rms_norm),
    "mamba2": Block(mamba2.Mamba2, _rms_norm),
    "rwkv4": Block(rwkv4.RWKV4, options=_place),
    "rwkv7": Block(rwkv7.RWKV7, options=_after_the_first),
}


@keras.saving.register_keras_serializable(package="kerasseq")
class ResidualStack(_state_block.StateBlock):
    """A stack of `x + block(norm(x))`, or `x + block(x)`, with a norm at its end.

    Blocks of RWKV have norms within; there the inputs of the stack are normalized.

    The states of all blocks go in and come out, as those of `StackedRNN` do, and are of
    the same size after any number of steps.

    Args:
        units: Positive integer, features of each block; the inputs have as many.
        num_layers: Number of blocks.
        cell: Name of the block: one of `kerasseq.layers.BLOCKS`.
        dropout: Float between 0 and 1. Fraction of each block's outputs to drop.
        return_state: Whether to return the final states too.
        seed: Random seed of the dropout.
        **kwargs: Other arguments of each block, such as `state_dim`, and of
            `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, units)`. Padding on the right
            changes nothing before it, but the final states.
        initial_state: Optional flat list of tensors: the states of block 1, then of
            block 2, and so on. Zeros by default; `get_initial_state(batch_size)` makes
            those, and `state_size` lists their shapes.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, length, units)`; with `return_state` a list of that and the final
        states.

    Raises:
        ValueError: For an unknown block, sizes that are not positive, inputs of other
            features, or another number of states.

    Example:
        >>> stack = kerasseq.layers.ResidualStack(16, num_layers=2, cell="mamba")
        >>> stack(np.random.rand(2, 7, 16)).shape
        (2, 7, 16)
    """

    def __init__(
        self,
        units,
        num_layers=1,
        cell="mamba",
        dropout=0.0,
        return_state=False,
        seed=None,
        **kwargs,
    ):
        layer_options, block_options = _arguments.split(kwargs)
        super().__init__(**layer_options)
        _arguments.check_choice("cell", cell, BLOCKS)
        _arguments.check_positive(units=units, num_layers=num_layers)
        _arguments.check_rates(dropout=dropout)
        _arguments.assign(self, ResidualStack, locals())
        self.block_options = block_options
        self._make_layers(BLOCKS[cell])
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: units})

    def _make_layers(self, block):
        policy = {"dtype": self.dtype_policy}
        make_norm = block.norm or _layer_norm
        self.blocks, self.norms, self.dropouts = [], [], []
        for index in range(self.num_layers):
            options = block.options(index, self.num_layers) | self.block_options
            options |= {"return_state": True, "name": f"block_{index}"}
            self.blocks.append(block.layer(self.units, **options, **policy))
            seed = None if self.seed is None else self.seed + index
            self.dropouts.append(
                dropout_layer.Dropout(self.dropout, seed=seed, **policy)
            )
            if block.norm or not index:
                self.norms.append(make_norm(name=f"norm_{index}", **policy))
        self.final_norm = make_norm(name="final_norm", **policy)

    def build(self, inputs_shape, initial_state_shape=None):
        for layer in (*self.blocks, *self.norms, self.final_norm):
            layer.build(inputs_shape)

    @property
    def state_size(self):
        """Shapes of the states, without the batch."""
        return [size for block in self.blocks for size in block.state_size]

    @property
    def state_dtypes(self):
        """Their dtypes, "compute" for that of the layer's policy."""
        return [dtype for block in self.blocks for dtype in block.state_dtypes]

    def call(self, inputs, initial_state=None, training=False):
        normed_within = BLOCKS[self.cell].norm is None
        inputs = keras.ops.cast(inputs, self.compute_dtype)
        x = self.norms[0](inputs) if normed_within else inputs
        final, value = [], {}
        for index, states in enumerate(self._by_block(initial_state)):
            below = x if normed_within else self.norms[index](x)
            y, *states = self.blocks[index](below, initial_state=states, **value)
            if getattr(self.blocks[index], "return_value", False):
                *states, value["first_value"] = states
            x = x + self.dropouts[index](y, training=training)
            final += states
        outputs = self.final_norm(x)
        return [outputs, *final] if self.return_state else outputs

    def _by_block(self, states):
        if states is None:
            return [None] * self.num_layers
        states = list(states)
        if len(states) != len(self.state_size):
            raise ValueError(
                f"This stack takes {len(self.state_size)} initial states, as "
                "`get_initial_state(batch_size)` makes them. "
                f"Received: {len(states)} initial states"
            )
        return _state_protocol.by_layer(states, self.num_layers)

    def get_config(self):
        options = keras.saving.serialize_keras_object(self.block_options)
        return super().get_config() | _arguments.config(self, ResidualStack) | options
