"""What the recurrent layers share: a loop over time that compiles everywhere."""

import contextlib

import keras

from kerasseq import ops
from kerasseq.layers import cell_loop


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
                list(initial_state),
                mask=mask[0] if isinstance(mask, (list, tuple)) else mask,
                go_backwards=self.go_backwards,
                return_sequences=self.return_sequences,
                zero_output_for_mask=self.zero_output_for_mask,
                unroll=self.unroll,
                training=training,
            )
        if self.return_sequences:
            return outputs[:, -1], outputs, states
        return outputs, outputs, states


def _check_states(layer, initial_state, sequences):
    """Refuses initial states that are not those of the cell."""
    sizes = keras.tree.flatten(layer.cell.state_size)
    if not all(isinstance(size, int) for size in sizes):
        return  # a cell of the caller's own with states of any shape
    wanted = [(sequences.shape[0], size) for size in sizes]
    shapes = [tuple(state.shape) for state in keras.tree.flatten(initial_state)]
    fits = len(shapes) == len(wanted) and all(
        len(shape) == 2
        and shape[1] == size
        and (None in (shape[0], batch) or shape[0] == batch)
        for shape, (batch, size) in zip(shapes, wanted, strict=True)
    )
    if not fits:
        raise ValueError(
            f"`initial_state` of layer '{layer.name}' must be {len(wanted)} tensor(s) "
            f"of the shapes {wanted}; `layer.get_initial_state(batch_size)` makes "
            f"zeros. Received: {len(shapes)} of the shapes {shapes}"
        )
