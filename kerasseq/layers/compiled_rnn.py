"""What the recurrent layers share: a loop over time that compiles everywhere."""

import contextlib

import keras
from keras import ops as kops

from kerasseq import ops
from kerasseq.layers import _arguments, cell_loop


def check_no_cudnn(use_cudnn):
    """Refuses what would turn XLA off for the whole model."""
    if use_cudnn is True:
        raise ValueError(
            "This layer has no cuDNN path: cuDNN kernels do not compile with XLA. "
            "Leave `use_cudnn` out, or use the layer of the same name in "
            f"`keras.layers`. Received: use_cudnn={use_cudnn}"
        )


class CompiledRNNMixin:
    """Mix-in for Keras' recurrent layers that replaces their loop over time.

    The loop is `run_cell`: the input's product with `kernel` is one large matrix
    product before it, and there is no cuDNN path, so that the layer compiles with XLA
    on every device.
    """

    def __init_subclass__(cls, **kwargs):
        """Shows `help` and editors what `*args` and `**kwargs` stand for."""
        super().__init_subclass__(**kwargs)
        cls.__signature__ = _arguments.signature(cls)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        cell_loop.variational_dropout(self.cell)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        _check_states(self, initial_state, sequences)
        with contextlib.ExitStack() as stack:
            if self.return_state and keras.backend.backend() == "tensorflow":
                # The fused LSTM op keeps its cell state to itself there.
                stack.enter_context(ops.without_fusion())
            outputs, states = cell_loop.run_cell(
                self.cell,
                sequences,
                keras.tree.map_structure(
                    lambda state: _for_all_rows(state, sequences), list(initial_state)
                ),
                mask=_of_rank_2(mask),
                go_backwards=self.go_backwards,
                return_sequences=self.return_sequences,
                zero_output_for_mask=self.zero_output_for_mask,
                unroll=self.unroll,
                training=training,
            )
        if self.return_sequences:
            return outputs[:, -1], outputs, states
        return outputs, outputs, states

    def _maybe_config_dropout_masks(self, cell, input_sequence, input_state):
        """As Keras', which calls each cell of a stack to see what the next one gets.

        A stock cell of ours draws one mask for all its gates, which its call does not
        know, and the shape of its output is known. It draws it in training alone, so
        that an exported file holds no random seeds.
        """
        if not isinstance(cell, keras.layers.StackedRNNCells):
            if not cell_loop.draws_masks_here(cell):
                super()._maybe_config_dropout_masks(cell, input_sequence, input_state)
            return
        for part, state in zip(cell.cells, input_state, strict=True):
            self._maybe_config_dropout_masks(part, input_sequence, state)
            size = getattr(part, "output_size", None) or part.state_size
            size = size if isinstance(size, int) else keras.tree.flatten(size)[0]
            rows = kops.shape(input_sequence)[0]
            input_sequence = kops.zeros((rows, size), input_sequence.dtype)


def _of_rank_2(mask):
    """The mask `(batch_size, time)` of what Keras takes: a list, or a last axis."""
    mask = mask[0] if isinstance(mask, (list, tuple)) else mask
    if mask is not None and len(mask.shape) == 3:
        mask = kops.squeeze(mask, -1)
    return mask


def _names_shapes(state_size):
    """Whether a state has a shape, a tuple in a list, and not a number of units."""
    if not isinstance(state_size, (list, tuple)):
        return not isinstance(state_size, int)
    return any(isinstance(x, tuple) or _names_shapes(x) for x in state_size)


def _for_all_rows(state, sequences):
    """A state of one row, which Keras takes for all."""
    if state.shape[0] != 1 or sequences.shape[0] == 1:
        return state
    rows = kops.shape(sequences)[0]
    return kops.broadcast_to(state, (rows, *state.shape[1:]))


def _check_states(layer, initial_state, sequences):
    """Refuses initial states that are not those of the cell."""
    sizes = keras.tree.flatten(layer.cell.state_size)
    if _names_shapes(layer.cell.state_size):
        return  # a cell of the caller's own with states of any shape
    wanted = [(sequences.shape[0], size) for size in sizes]
    shapes = [tuple(state.shape) for state in keras.tree.flatten(initial_state)]
    fits = len(shapes) == len(wanted) and all(
        len(shape) == 2
        and shape[1] == size
        and (None in (shape[0], batch) or shape[0] in (1, batch))
        for shape, (batch, size) in zip(shapes, wanted, strict=True)
    )
    if not fits:
        raise ValueError(
            f"`initial_state` of layer '{layer.name}' must be {len(wanted)} tensor(s) "
            f"of the shapes {wanted}; `layer.get_initial_state(batch_size)` makes "
            f"zeros. Received: {len(shapes)} of the shapes {shapes}"
        )
