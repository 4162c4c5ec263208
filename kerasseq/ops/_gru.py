"""Gated recurrent unit over sequences."""

from keras import ops

from kerasseq.ops import kernels
from kerasseq.ops._projected_recurrence import projected_recurrence
from kerasseq.ops.cells import gru_step


def gru(
    sequences,
    initial_states,
    kernel,
    recurrent_kernel,
    bias=None,
    *,
    activation=ops.tanh,
    recurrent_activation=ops.sigmoid,
    reset_after=True,
    recurrent_mask=None,
    **loop,
):
    """Runs a gated recurrent unit (Cho et al., 2014).

    With tanh and sigmoid it uses a hand-written gradient (see `bptt`).

    Args:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_states: List of `h`, of shape `(batch_size, units)`.
        kernel: Tensor of shape `(features, 3 * units)`, gates `z, r, g`.
        recurrent_kernel: Tensor of shape `(units, 3 * units)`.
        bias: Tensor of shape `(3 * units,)`, with `reset_after` `(2, 3 * units)`, or
            `None`.
        activation: Callable for the candidate.
        recurrent_activation: Callable for the gates.
        reset_after: Boolean, whether to apply the reset gate after the matrix product
            (as cuDNN) or before it (as in the paper).
        recurrent_mask: Optional dropout mask of shape `(batch_size, units)` on `h`
            inside the gates.
        **loop: Options of `recurrence`: `mask`, `go_backwards`, `return_sequences`,
            `zero_output_for_mask`, `unroll`.

    Returns:
        `(outputs, [h])`, as `recurrence`.
    """
    biases = [] if bias is None else [bias]
    if bias is not None and reset_after:
        biases = [bias[0], bias[1]]

    def step(x, states):
        return gru_step(
            x,
            states,
            recurrent_kernel,
            biases[1] if biases[1:] else None,
            activation,
            recurrent_activation,
            reset_after,
            recurrent_mask,
        )

    return projected_recurrence(
        kernels.gru(activation, recurrent_activation, reset_after),
        step,
        sequences,
        initial_states,
        kernel,
        kernels.gru_kernels(recurrent_kernel, reset_after),
        biases,
        recurrent_mask=recurrent_mask,
        **loop,
    )
