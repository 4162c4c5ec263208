"""Elman network over sequences."""

from keras import ops

from kerasseq.ops import kernels
from kerasseq.ops._projected_recurrence import projected_recurrence
from kerasseq.ops.cells import simple_rnn_step


def simple_rnn(
    sequences,
    initial_states,
    kernel,
    recurrent_kernel,
    bias=None,
    *,
    activation=ops.tanh,
    recurrent_mask=None,
    **loop,
):
    """Runs an Elman (1990) recurrent network.

    With tanh or relu it uses a hand-written gradient (see `bptt`).

    Args:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_states: List of `h`, of shape `(batch_size, units)`.
        kernel: Tensor of shape `(features, units)`.
        recurrent_kernel: Tensor of shape `(units, units)`.
        bias: Tensor of shape `(units,)` or `None`.
        activation: Callable.
        recurrent_mask: Optional dropout mask of shape `(batch_size, units)` on `h`.
        **loop: Options of `recurrence`: `mask`, `go_backwards`, `return_sequences`,
            `zero_output_for_mask`, `unroll`.

    Returns:
        `(outputs, [h])`, as `recurrence`.
    """

    def step(x, states):
        return simple_rnn_step(x, states, recurrent_kernel, activation, recurrent_mask)

    return projected_recurrence(
        kernels.simple_rnn(activation),
        step,
        sequences,
        initial_states,
        kernel,
        [recurrent_kernel],
        [] if bias is None else [bias],
        recurrent_mask=recurrent_mask,
        **loop,
    )
