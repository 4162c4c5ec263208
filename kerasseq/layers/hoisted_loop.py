"""What the recurrent layers share: the loop with the input projection hoisted out."""

from keras import ops as kops

from kerasseq import ops


def check_no_cudnn(use_cudnn):
    """Refuses what would turn XLA off for the whole model."""
    if use_cudnn is True:
        raise ValueError(
            "This layer has no cuDNN path: cuDNN kernels do not compile with XLA. "
            "Leave `use_cudnn` out, or use the layer of the same name in "
            f"`keras.layers`. Received: use_cudnn={use_cudnn}"
        )


class HoistedLoop:
    """Mix-in for Keras' recurrent layers that replaces their loop over time.

    The input's product with `kernel` is one large matrix product before the loop, and
    the loop is `kerasseq.ops.time_loop`. There is no cuDNN path, so that the layer
    compiles with XLA on every device. A layer supplies
    `_cell_step(projected, states, recurrent_mask)`.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cell.dropout_mask_count = None  # one mask for all gates

    def inner_loop(self, sequences, initial_state, mask, training=False):
        cell = self.cell
        recurrent_mask = None
        if training and cell.dropout > 0:
            dropped = cell.get_dropout_mask(sequences[:, 0, :])
            sequences = sequences * kops.expand_dims(dropped, 1)
        if training and cell.recurrent_dropout > 0:
            recurrent_mask = cell.get_recurrent_dropout_mask(initial_state[0])

        outputs, states = ops.recurrence(
            lambda x, states: self._cell_step(x, states, recurrent_mask),
            self._project(sequences),
            list(initial_state),
            mask=mask[0] if isinstance(mask, (list, tuple)) else mask,
            go_backwards=self.go_backwards,
            return_sequences=self.return_sequences,
            zero_output_for_mask=self.zero_output_for_mask,
            unroll=self.unroll,
        )
        if self.return_sequences:
            return outputs[:, -1], outputs, states
        return outputs, outputs, states

    def _project(self, sequences):
        projected = kops.matmul(sequences, self.cell.kernel)
        return projected + self.cell.bias if self.cell.use_bias else projected
