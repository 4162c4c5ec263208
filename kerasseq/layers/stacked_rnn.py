"""Recurrent layers on top of each other."""

import itertools

import keras
from keras import ops

from kerasseq.layers import _arguments, _state_protocol, cells
from kerasseq.layers import dropout as dropout_layer

_MERGES = {
    "concat": lambda forward, backward: ops.concatenate([forward, backward], -1),
    "sum": lambda forward, backward: forward + backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
    "mul": lambda forward, backward: forward * backward,
}


@keras.saving.register_keras_serializable(package="kerasseq")
class StackedRNN(_state_protocol.StateMixin, keras.layers.Layer):
    """A stack of recurrent layers, the common case in one line.

    A masked step keeps the states of all layers. Without `return_sequences` the output
    is the last layer's final output, that of its two directions merged; if the layer
    is residual, the final outputs of the layers below are added.

    Args:
        units: Positive integer, size of each layer's state, for each direction.
        num_layers: Number of layers. Defaults to `1`.
        cell: Name of a cell of `kerasseq.layers.CELLS`: `"lstm"`, `"gru"`,
            `"simple_rnn"`, `"irnn"`, `"layer_norm_lstm"`, `"peephole_lstm"` or
            `"zoneout_lstm"`.
        bidirectional: Whether each layer reads its input in both directions.
        merge_mode: How the two directions are merged: `"concat"`, `"sum"`, `"ave"`
            or `"mul"`.
        dropout: Float between 0 and 1. Fraction of the units to drop between the
            layers.
        variational: Whether one mask per sequence serves all of its steps.
        recurrent_dropout: Float between 0 and 1. Fraction of `h` to drop inside the
            gates, with one mask per sequence.
        residual: Whether each layer from the second on adds its input to its output.
        return_sequences: Whether to return the outputs of all steps.
        return_state: Whether to return the final states too.
        seed: Random seed of the dropout.
        **kwargs: Other arguments of each layer, such as `kernel_initializer`,
            `recurrent_initializer`, `activation` or `zoneout_c`. `unit_forget_bias`
            is for the cells with a forget gate and does nothing in others.

    Call arguments:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_state: Optional flat list of tensors `(batch_size, units)`: the states
            of layer 1 (`h`, `c` forward, then backward), then of layer 2, and so on.
            Zeros by default; `get_initial_state(batch_size)` makes those, and
            `state_size` lists their shapes.
        mask: Optional boolean tensor `(batch_size, time)`; `False` skips the step.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, width)`, or `(batch_size, time, width)` with `return_sequences`;
        `width` is `units`, or `2 * units` where two directions are concatenated. With
        `return_state` a tuple of that and the final states, in the order of
        `initial_state`.

    Example:
        >>> stack = kerasseq.layers.StackedRNN(8, num_layers=2, bidirectional=True)
        >>> stack(np.random.rand(32, 10, 4)).shape
        (32, 16)

    Reference:
        Wu et al. (2016), Google's Neural Machine Translation System, section 3.1; Gal
        and Ghahramani (2016), A Theoretically Grounded Application of Dropout in
        Recurrent Neural Networks.
    """

    def __init__(
        self,
        units,
        num_layers=1,
        cell="lstm",
        bidirectional=False,
        merge_mode="concat",
        dropout=0.0,
        variational=False,
        recurrent_dropout=0.0,
        residual=False,
        return_sequences=False,
        return_state=False,
        seed=None,
        **kwargs,
    ):
        layer_options, cell_options = _arguments.split(kwargs)
        super().__init__(**layer_options)
        _arguments.check_choice("cell", cell, cells.CELLS)
        _arguments.check_choice("merge_mode", merge_mode, _MERGES)
        _arguments.check_positive(units=units, num_layers=num_layers)
        _arguments.check_rates(dropout=dropout, recurrent_dropout=recurrent_dropout)
        _check_options(cell_options)
        _arguments.assign(self, StackedRNN, locals())
        self.cell_options = cell_options

        self._make_layers()
        self._width = units * (1 + (bidirectional and merge_mode == "concat"))
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def _make_layers(self):
        # Masks of different layers must differ, so each layer has a seed of its own.
        seeds = itertools.repeat(None)
        if self.seed is not None:
            seeds = itertools.count(self.seed)
        self.recurrent_layers = [
            cells.make_layer(
                self.cell,
                seeds,
                f"layer_{index}",
                self.merge_mode if self.bidirectional else None,
                units=self.units,
                recurrent_dropout=self.recurrent_dropout,
                return_sequences=self.return_sequences or index < self.num_layers - 1,
                return_state=self.return_state or self._adds_final_outputs,
                dtype=self.dtype_policy,
                **self.cell_options,
            )
            for index in range(self.num_layers)
        ]
        # Variational: one mask for all steps.
        shape = (None, 1, None) if self.variational else None
        self.dropouts = [
            dropout_layer.Dropout(
                self.dropout, shape, next(seeds), dtype=self.dtype_policy
            )
            for _ in range(1, self.num_layers)
        ]

    @property
    def _adds_final_outputs(self):
        return self.residual and not self.return_sequences and self.num_layers > 1

    @property
    def state_size(self):
        """Shapes of the states, without the batch."""
        one = self.recurrent_layers[0]
        kinds = len(getattr(one, "forward_layer", one).state_size)  # h, and c if any
        return [(self.units,)] * (self.num_layers * (1 + self.bidirectional) * kinds)

    def step(self, inputs, states):
        if self.bidirectional or not (self.return_sequences and self.return_state):
            raise ValueError(
                "A stack goes step by step in one direction, and if it returns the "
                "outputs of the step and the states: build it with "
                "`return_sequences=True, return_state=True`. Received: layer "
                f"'{self.name}' with bidirectional={self.bidirectional}, "
                f"return_sequences={self.return_sequences}, "
                f"return_state={self.return_state}"
            )
        return super().step(inputs, states)

    def build(self, sequences_shape):
        shape = tuple(sequences_shape)
        for layer in self.recurrent_layers:
            layer.build(shape)
            shape = (*shape[:-1], self._width)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        initial_states = self._by_layer(initial_state)
        x, final_output, all_states = sequences, 0, []
        for index, layer in enumerate(self.recurrent_layers):
            below = x
            if index:
                x = self.dropouts[index - 1](x, training=training)
            options = {"initial_state": initial_states[index], "mask": mask}
            outputs = layer(x, training=training, **options)
            x, *states = keras.tree.flatten(outputs)
            all_states += states
            if self._adds_final_outputs:
                final_output = final_output + self._final_output(states)
            if index and self.residual:
                x = x + below if layer.return_sequences else final_output
        return (x, *all_states) if self.return_state else x

    def _final_output(self, states):
        if not self.bidirectional:
            return states[0]
        return _MERGES[self.merge_mode](states[0], states[len(states) // 2])

    def _by_layer(self, initial_state):
        if initial_state is None:
            return [None] * self.num_layers
        states = keras.tree.flatten(initial_state)
        if len(states) != len(self.state_size):
            raise ValueError(
                f"This stack takes {len(self.state_size)} initial states, as "
                "`get_initial_state(batch_size)` makes them. "
                f"Received: {len(states)} initial states"
            )
        return _state_protocol.by_layer(states, self.num_layers)

    def compute_mask(self, sequences, previous_mask=None):
        mask = keras.tree.flatten(previous_mask)[0] if self.return_sequences else None
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        shape = (*sequences_shape[: 1 + self.return_sequences], self._width)
        states = [(sequences_shape[0], *size) for size in self.state_size]
        return (shape, *states) if self.return_state else shape

    def get_config(self):
        options = keras.saving.serialize_keras_object(self.cell_options)
        return super().get_config() | _arguments.config(self, StackedRNN) | options


def _check_options(options):
    refused = {"go_backwards", "stateful"} & set(options)
    if refused:
        raise ValueError(
            "A stack reads forward and keeps nothing between calls: flip the sequence, "
            "use `bidirectional`, or pass states through `initial_state` and "
            f"`return_state`. Received: {sorted(refused)}"
        )
