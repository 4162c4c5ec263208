"""Stacked recurrent decoder with attention over an encoder's outputs."""

import keras
from keras import ops as kops

from kerasseq import ops
from kerasseq.layers import (
    _arguments,
    _state_protocol,
    cell_halves,
    cells,
    decoder_loops,
    source_attention,
)
from kerasseq.layers import dropout as dropout_layer


@keras.saving.register_keras_serializable(package="kerasseq")
class AttentionDecoder(_state_protocol.StateMixin, keras.layers.Layer):
    """Recurrent layers that attend to a source sequence at every step.

    At each step the stack of cells runs on the input; the top state is scored
    against the source; the weighted sum of the source, the context, and the top
    state give the output `tanh(W [state; context])` (Luong et al., 2015, equation
    5). With input feeding that output is also an input of the next step.

    One function, `step`, is the decoder: greedy and beam search call it one token at a
    time. The layer's call gives the same in fewer and larger products: without input
    feeding it runs layer after layer and computes the attention of all steps at once;
    with it, it runs a loop whose gradient is written by hand, where the cells are
    Keras' own with their usual activations, and else one over `step`.

    Positions of `memory` where `memory_mask` is `False` get no attention; a source
    with no valid position gets uniform attention. Padding in `inputs` needs no mask:
    with right padding nothing after the last token reaches a real output.

    Args:
        units: Positive integer, size of each cell's state.
        output_dim: Size of the output. Defaults to `units`.
        num_layers: Number of stacked cells. Defaults to `1`.
        cell: Name of a cell of `kerasseq.layers.CELLS`: `"lstm"`, `"gru"`,
            `"layer_norm_lstm"` or another.
        attention: How the state is scored against the source: `"additive"`
            (Bahdanau), `"dot"` (which needs `units` equal to the features of the
            memory) or `"general"` (Luong).
        scale_scores: Whether the scores of `"dot"` and `"general"` are divided by the
            square root of `units` (Vaswani et al., 2017, section 3.2.1). Without it,
            as Luong has them, the softmax soon saturates: of the phrases that
            `recipes.translate` learns 83 % of the tokens were right after one epoch,
            with it 94 %.
        input_feeding: Whether a step also gets the output of the step before.
        residual: Whether each layer from the second on adds its input to its
            output (Wu et al., 2016).
        dropout: Float between 0 and 1. Fraction of the units to drop between the
            layers, with one mask per sequence, and of the outputs.
        seed: Random seed of the dropout.
        return_attention: Whether `call` also returns the attention weights.
        **kwargs: Other arguments of each cell, such as `kernel_initializer`,
            `recurrent_initializer` or `zoneout_c`, and of `keras.layers.Layer`.
            `unit_forget_bias` does nothing in cells without a forget gate.

    Call arguments:
        inputs: Tensor of shape `(batch_size, target_length, features)`.
        memory: Tensor of shape `(batch_size, source_length, memory_features)`.
        initial_state: Optional list of tensors `(batch_size, units)`, one for each
            state of each layer (hidden and cell state of layer 1, then of layer 2,
            ...). Zeros by default.
        memory_mask: Optional boolean tensor `(batch_size, source_length)`. Taken
            from `memory` if that carries a Keras mask.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, target_length, output_dim)`; with `return_attention` a tuple of
        that and `(batch_size, target_length, source_length)`.

    Example:
        >>> decoder = kerasseq.layers.AttentionDecoder(8)
        >>> target, source = np.random.rand(2, 5, 8), np.random.rand(2, 7, 16)
        >>> decoder(target, source).shape
        (2, 5, 8)

    Reference:
        Bahdanau, Cho and Bengio (2015), Neural Machine Translation by Jointly
        Learning to Align and Translate; Luong, Pham and Manning (2015), Effective
        Approaches to Attention-based Neural Machine Translation; for one dropout
        mask per sequence Gal and Ghahramani (2016).
    """

    def __init__(
        self,
        units,
        output_dim=None,
        num_layers=1,
        cell="lstm",
        attention="additive",
        scale_scores=True,
        input_feeding=True,
        residual=False,
        dropout=0.0,
        seed=None,
        return_attention=False,
        **kwargs,
    ):
        layer_options, cell_options = _arguments.split(kwargs)
        super().__init__(**layer_options)
        _arguments.check_choice("cell", cell, cells.CELLS)
        _arguments.check_choice("attention", attention, source_attention.KINDS)
        _arguments.check_positive(units=units, num_layers=num_layers)
        _arguments.check_rates(dropout=dropout)
        _check_options(cell_options)
        _arguments.assign(self, AttentionDecoder, locals())
        self.cell_options = cell_options
        self.output_size = output_dim or units
        self._make_layers()
        self.supports_masking = True

    def _make_layers(self):
        shared = {"dtype": self.dtype_policy}
        self.cells = [
            cells.make_cell(
                self.cell,
                self.units,
                name=f"cell_{index}",
                **shared,
                **self.cell_options,
            )
            for index in range(self.num_layers)
        ]
        self.source_attention = source_attention.SourceAttention(
            self.units,
            self.attention,
            self.scale_scores,
            name="attention",
            **shared,
        )
        self.output_dense = keras.layers.Dense(
            self.output_size, "tanh", name="output", **shared
        )
        self.output_dropout = dropout_layer.Dropout(
            self.dropout, seed=self.seed, **shared
        )
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    def build(self, inputs_shape, memory_shape, initial_state_shape=None):
        self.num_features = inputs_shape[-1]
        self.source_attention.build(memory_shape)
        fed = self.output_size if self.input_feeding else 0
        for index, cell in enumerate(self.cells):
            cell.build((None, self.units if index else self.num_features + fed))
        self.output_dense.build((None, self.units + memory_shape[-1]))

    @property
    def state_size(self):
        """Shapes of the states, without the batch; the last is the fed output."""
        kinds = len(keras.tree.flatten(self.cells[0].state_size))
        fed = [(self.output_size,)] * int(self.input_feeding)
        return [(self.units,)] * (kinds * self.num_layers) + fed

    def start(self, memory, initial_state=None, memory_mask=None):
        """What a source sequence contributes to every step, and the first states.

        Args:
            memory: Tensor of shape `(batch_size, source_length, memory_features)`.
            initial_state: Optional list of tensors `(batch_size, units)`.
            memory_mask: Optional boolean tensor `(batch_size, source_length)`.

        Returns:
            `(context, states)`: a dict of the tensors `memory`, `keys` and `bias`,
            which stay the same for all steps, and a list of tensors as in
            `state_size`.
        """
        states = self.get_initial_state(kops.shape(memory)[0])
        if initial_state is not None:
            fed = states[-1:] if self.input_feeding else []
            wanted = len(states) - len(fed)
            if len(initial_state) != wanted:
                raise ValueError(
                    f"A {self.num_layers}-layer {self.cell} decoder takes {wanted} "
                    f"initial states. Received: {len(initial_state)}"
                )
            states = [kops.cast(x, self.compute_dtype) for x in initial_state] + fed
        return self.source_attention.start(memory, memory_mask), states

    def project(self, inputs):
        """The inputs' product with the first cell's kernel.

        Args:
            inputs: Tensor of shape `(..., features)`.

        Returns:
            Tensor of shape `(..., gates * units)`.
        """
        return kops.matmul(inputs, self.cells[0].kernel[: self.num_features])

    def step(self, projected, states, context):
        """One step of the decoder.

        Args:
            projected: Tensor `(batch_size, gates * units)` from `project`.
            states: List of tensors, from `start` or the step before.
            context: Dict from `start`.

        Returns:
            `(output, weights, states)`: the output `(batch_size, output_dim)`, the
            attention weights `(batch_size, source_length)` and the new states.
        """
        return self.compute_step({"product": projected}, states, context)

    def compute_step(self, now, states, context, masks=None, training=False):
        """`step` in training too: `now` holds `product`, from `project`, and what the
        cells have drawn."""
        states, product = list(states), now["product"]
        if self.input_feeding:
            kernel = self.cells[0].kernel[self.num_features :]
            product = product + kops.matmul(states.pop(), kernel)
        by_layer = _state_protocol.by_layer(states, self.num_layers)
        top, new_states = None, []
        for index, cell in enumerate(self.cells):
            if index:
                x = top * masks[index - 1] if masks else top
                product = kops.matmul(x, cell.kernel)
            projected = {"gates": cell_halves.input_gates(cell, product)}
            projected |= now.get(f"random_{index}", {})
            output, cell_states = cell_halves.step(
                cell, projected, by_layer[index], training
            )
            top = top + output if index and self.residual else output
            new_states.extend(cell_states)
        attended, weights = self.source_attention.attend(top, context)
        output = self.output_dense(kops.concatenate([top, attended], axis=-1))
        return output, weights, new_states + [output] * int(self.input_feeding)

    def call(
        self, inputs, memory, initial_state=None, memory_mask=None, training=False
    ):
        context, states = self.start(memory, initial_state, memory_mask)
        masks = self._dropout_masks(kops.shape(inputs)[0]) if training else None
        inputs = kops.cast(inputs, self.compute_dtype)
        arguments = (self, inputs, states, context, masks, training)
        if not self.input_feeding:
            outputs, weights = decoder_loops.at_once(*arguments)
        else:
            outputs, weights = decoder_loops.by_hand(
                *arguments
            ) or decoder_loops.step_by_step(*arguments)
        outputs = self.output_dropout(outputs, training=training)
        return (outputs, weights) if self.return_attention else outputs

    def _dropout_masks(self, batch_size):
        """One for the input of each layer from the second on."""
        if not self.dropout:
            return None
        ones = kops.ones((batch_size, self.units), self.compute_dtype)
        return [
            ops.dropout(ones, self.dropout, self.seed_generator) for _ in self.cells[1:]
        ]

    def compute_mask(self, inputs, mask=None):
        return None  # the loss weights the tokens

    def get_config(self):
        options = keras.saving.serialize_keras_object(self.cell_options)
        config = _arguments.config(self, AttentionDecoder)
        return super().get_config() | config | options


def _check_options(options):
    if "recurrent_dropout" in options:
        raise ValueError(
            "The cells of a decoder have no dropout of their own: use `dropout`, which "
            "acts between the layers, or a cell with zoneout. Received: "
            f"recurrent_dropout={options['recurrent_dropout']}"
        )
