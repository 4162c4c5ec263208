"""Stacked recurrent decoder with attention over an encoder's outputs."""

import keras
from keras import ops as kops

from kerasseq import ops
from kerasseq.layers import initializers

_CELLS = {
    "lstm": keras.layers.LSTMCell,
    "gru": keras.layers.GRUCell,
    "simple_rnn": keras.layers.SimpleRNNCell,
}
_ATTENTIONS = ("additive", "dot", "general")


@keras.saving.register_keras_serializable(package="kerasseq")
class AttentionDecoder(keras.layers.Layer):
    """Recurrent layers that look at a source sequence at every step.

    At each step the stack of cells runs on the input; the top state is scored
    against the source; the weighted sum of the source, the context, and the top
    state give the output `tanh(W [state; context])` (Luong et al., 2015, equation
    5). With input feeding that output is also an input of the next step.

    One function, `step`, is the decoder: the layer's call loops over it in training,
    and greedy and beam search call it one token at a time.

    Positions of `memory` where `memory_mask` is `False` get no attention; a source
    with no valid position gets uniform attention. Padding in `inputs` needs no mask:
    with right padding nothing after the last token reaches a real output.

    Args:
        units: Positive integer, size of each cell's state.
        output_dim: Size of the output. Defaults to `units`.
        num_layers: Number of stacked cells. Defaults to `1`.
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        attention: How the state is scored against the source: `"additive"`
            (Bahdanau), `"dot"` (which needs `units` equal to the features of the
            memory) or `"general"` (Luong).
        input_feeding: Whether a step also gets the output of the step before.
        residual: Whether each layer from the second on adds its input to its
            output (Wu et al., 2016).
        dropout: Share of units dropped between the layers, one mask a sequence, and
            of the outputs.
        kernel_initializer: Initializer of the cells' input weights.
        recurrent_initializer: Initializer of the cells' state weights. `"identity"`
            is of use with `cell="simple_rnn"` only.
        unit_forget_bias: Whether the forget gates of LSTM cells start with bias 1.
        seed: Random seed of the dropout.
        return_attention: Whether `call` also returns the attention weights.

    Call arguments:
        inputs: Tensor of shape `(batch_size, target_length, features)`.
        memory: Tensor of shape `(batch_size, source_length, memory_features)`.
        initial_state: Optional list of tensors `(batch_size, units)`, one a state
            and layer (hidden and cell state of layer 1, then of layer 2, ...).
            Zeros by default.
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
        mask a sequence Gal and Ghahramani (2016).
    """

    def __init__(
        self,
        units,
        output_dim=None,
        num_layers=1,
        cell="lstm",
        attention="additive",
        input_feeding=True,
        residual=False,
        dropout=0.0,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        unit_forget_bias=True,
        seed=None,
        return_attention=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check_choice("cell", cell, _CELLS)
        _check_choice("attention", attention, _ATTENTIONS)
        if units < 1 or num_layers < 1:
            raise ValueError(
                "`units` and `num_layers` must be positive integers. "
                f"Received: units={units}, num_layers={num_layers}"
            )
        if not 0 <= dropout < 1:
            raise ValueError(
                f"`dropout` must be in [0, 1). Received: dropout={dropout}"
            )
        self.units = units
        self.output_dim = output_dim
        self.num_layers = num_layers
        self.cell = cell
        self.attention = attention
        self.input_feeding = input_feeding
        self.residual = residual
        self.dropout = dropout
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.unit_forget_bias = unit_forget_bias
        self.seed = seed
        self.return_attention = return_attention

        self.cells = [self._cell(index) for index in range(num_layers)]
        self.output_size = output_dim or units
        self.output_dense = keras.layers.Dense(
            self.output_size, "tanh", dtype=self.dtype_policy, name="output"
        )
        self.query_dense = self.key_dense = None
        if attention == "additive":
            self.query_dense = self._projection("query")
        if attention != "dot":
            self.key_dense = self._projection("key")
        self.output_dropout = keras.layers.Dropout(
            dropout, seed=seed, dtype=self.dtype_policy
        )
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def _cell(self, index):
        options = initializers.cell_options(
            self.cell,
            self.kernel_initializer,
            self.recurrent_initializer,
            self.unit_forget_bias,
        )
        name = f"cell_{index}"
        return _CELLS[self.cell](
            self.units, dtype=self.dtype_policy, name=name, **options
        )

    def _projection(self, name):
        return keras.layers.Dense(
            self.units, use_bias=False, dtype=self.dtype_policy, name=name
        )

    def build(self, inputs_shape, memory_shape, initial_state_shape=None):
        self.num_features = inputs_shape[-1]
        memory_features = memory_shape[-1]
        if self.attention == "dot" and memory_features != self.units:
            raise ValueError(
                'attention="dot" needs a memory as wide as the decoder. Received: '
                f"units={self.units}, memory of shape {tuple(memory_shape)}. "
                'Use attention="general", which projects the memory.'
            )
        fed = self.output_size if self.input_feeding else 0
        self.cells[0].build((None, self.num_features + fed))
        for cell in self.cells[1:]:
            cell.build((None, self.units))
        self.output_dense.build((None, self.units + memory_features))
        if self.query_dense:
            self.query_dense.build((None, self.units))
            self.score_kernel = self.add_weight(
                shape=(self.units,), name="score_kernel"
            )
        if self.key_dense:
            self.key_dense.build((None, None, memory_features))

    @property
    def num_states(self):
        """Number of state tensors, the fed output included."""
        per_layer = 2 if self.cell == "lstm" else 1
        return self.num_layers * per_layer + int(self.input_feeding)

    def start(self, memory, initial_state=None, memory_mask=None):
        """What a source sequence contributes to every step, and the first states.

        Args:
            memory: Tensor of shape `(batch_size, source_length, memory_features)`.
            initial_state: Optional list of tensors `(batch_size, units)`.
            memory_mask: Optional boolean tensor `(batch_size, source_length)`.

        Returns:
            `(context, states)`: a dict of the tensors `memory`, `keys` and `bias`,
            which stay the same for all steps, and a list of `num_states` tensors.
        """
        batch_size, source_length = kops.shape(memory)[0], kops.shape(memory)[1]
        dtype = self.compute_dtype
        if memory_mask is None:
            bias = kops.zeros((batch_size, source_length), dtype)
        else:
            bias = kops.cast(kops.where(memory_mask, 0.0, ops.MASKED_SCORE), dtype)
        context = {
            "memory": memory,
            "keys": self.key_dense(memory) if self.key_dense else memory,
            "bias": bias,
        }
        count = self.num_states - int(self.input_feeding)
        if initial_state is None:
            initial_state = [
                kops.zeros((batch_size, self.units), dtype) for _ in range(count)
            ]
        if len(initial_state) != count:
            raise ValueError(
                f"A {self.num_layers}-layer {self.cell} decoder takes {count} initial "
                f"states. Received: {len(initial_state)}"
            )
        states = [kops.cast(state, dtype) for state in initial_state]
        if self.input_feeding:
            states.append(kops.zeros((batch_size, self.output_size), dtype))
        return context, states

    def project(self, inputs):
        """The inputs' share of the first cell's gates.

        Args:
            inputs: Tensor of shape `(..., features)`.

        Returns:
            Tensor of shape `(..., gates * units)`.
        """
        kernel = self.cells[0].kernel[: self.num_features]
        return kops.matmul(inputs, kernel) + _input_bias(self.cells[0])

    def step(self, projected, states, context, masks=None):
        """One step of the decoder.

        Args:
            projected: Tensor `(batch_size, gates * units)` from `project`.
            states: List of `num_states` tensors.
            context: Dict from `start`.
            masks: Optional list of dropout masks, one for the input of each layer
                from the second on.

        Returns:
            `(output, weights, states)`: the output `(batch_size, output_dim)`, the
            attention weights `(batch_size, source_length)` and the new states.
        """
        states = list(states)
        if self.input_feeding:
            kernel = self.cells[0].kernel[self.num_features :]
            projected = projected + kops.matmul(states.pop(), kernel)
        per_layer = len(states) // self.num_layers
        top, new_states = None, []
        for index, cell in enumerate(self.cells):
            if index:
                x = top * masks[index - 1] if masks else top
                projected = kops.matmul(x, cell.kernel) + _input_bias(cell)
            cell_states = states[index * per_layer : (index + 1) * per_layer]
            output, cell_states = _cell_step(cell, projected, cell_states)
            top = top + output if index and self.residual else output
            new_states.extend(cell_states)
        attended, weights = ops.attend(
            self._scores(top, context["keys"]), context["memory"], context["bias"]
        )
        output = self.output_dense(kops.concatenate([top, attended], axis=-1))
        return output, weights, new_states + [output] * int(self.input_feeding)

    def _scores(self, query, keys):
        if self.attention == "additive":
            return ops.additive_scores(self.query_dense(query), keys, self.score_kernel)
        return ops.dot_scores(query, keys)

    def call(
        self, inputs, memory, initial_state=None, memory_mask=None, training=False
    ):
        context, states = self.start(memory, initial_state, memory_mask)
        masks = self._dropout_masks(kops.shape(inputs)[0]) if training else None

        def loop_step(projected, states):
            output, weights, states = self.step(projected, states, context, masks)
            collected = (output, weights) if self.return_attention else (output,)
            return collected, states

        projected = kops.swapaxes(self.project(inputs), 0, 1)
        collected, _ = ops.time_loop(loop_step, projected, states)
        collected = [kops.swapaxes(x, 0, 1) for x in collected]
        collected[0] = self.output_dropout(collected[0], training=training)
        return tuple(collected) if self.return_attention else collected[0]

    def _dropout_masks(self, batch_size):
        if not self.dropout:
            return None
        ones = kops.ones((batch_size, self.units), self.compute_dtype)
        return [
            keras.random.dropout(ones, self.dropout, seed=self.seed_generator)
            for _ in self.cells[1:]
        ]

    def compute_mask(self, inputs, mask=None):
        return None  # the loss weighs the tokens

    def get_config(self):
        return super().get_config() | {
            "units": self.units,
            "output_dim": self.output_dim,
            "num_layers": self.num_layers,
            "cell": self.cell,
            "attention": self.attention,
            "input_feeding": self.input_feeding,
            "residual": self.residual,
            "dropout": self.dropout,
            "kernel_initializer": initializers.config(self.kernel_initializer),
            "recurrent_initializer": initializers.config(self.recurrent_initializer),
            "unit_forget_bias": self.unit_forget_bias,
            "seed": self.seed,
            "return_attention": self.return_attention,
        }


def _check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {list(choices)}. Received: {value!r}"
        )


def _input_bias(cell):
    """The bias of the input projection; a GRU's second bias acts inside the step."""
    return cell.bias[0] if isinstance(cell, keras.layers.GRUCell) else cell.bias


def _cell_step(cell, projected, states):
    if isinstance(cell, keras.layers.LSTMCell):
        return ops.lstm_step(projected, states, cell.recurrent_kernel)
    if isinstance(cell, keras.layers.GRUCell):
        return ops.gru_step(
            projected, states, cell.recurrent_kernel, recurrent_bias=cell.bias[1]
        )
    return ops.simple_rnn_step(projected, states, cell.recurrent_kernel)
