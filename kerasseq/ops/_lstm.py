"""Long short-term memory over sequences."""

from keras import ops

from kerasseq.ops import _fused_lstm, kernels
from kerasseq.ops._loop_strategy import current_loop_strategy
from kerasseq.ops._projected_recurrence import projected_recurrence
from kerasseq.ops.cells import lstm_step


def lstm(
    sequences,
    initial_states,
    kernel,
    recurrent_kernel,
    bias=None,
    *,
    activation=ops.tanh,
    recurrent_activation=ops.sigmoid,
    recurrent_mask=None,
    **loop,
):
    """Runs a long short-term memory (Hochreiter and Schmidhuber, 1997).

    With tanh and sigmoid it uses a hand-written gradient (see `bptt`). An export can
    fuse it to one op (see `loop_strategy`).

    Args:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_states: List of `h` and `c`, both of shape `(batch_size, units)`.
        kernel: Tensor of shape `(features, 4 * units)`, gates `i, f, g, o`.
        recurrent_kernel: Tensor of shape `(units, 4 * units)`.
        bias: Tensor of shape `(4 * units,)` or `None`.
        activation: Callable for the candidate and the output.
        recurrent_activation: Callable for the gates.
        recurrent_mask: Optional dropout mask of shape `(batch_size, units)` on `h`.
        **loop: Options of `recurrence`: `mask`, `go_backwards`, `return_sequences`,
            `zero_output_for_mask`, `unroll`.

    Returns:
        `(outputs, [h, c])`, as `recurrence`.
    """
    if current_loop_strategy().may_fuse:
        gates = (activation, recurrent_activation, recurrent_mask)
        if _fused_lstm.wanted(sequences, initial_states, *gates, loop.get("mask")):
            return _fused_lstm.fused_lstm(
                sequences, initial_states, kernel, recurrent_kernel, bias, **loop
            )

    def step(x, states):
        gates = (activation, recurrent_activation, recurrent_mask)
        return lstm_step(x, states, recurrent_kernel, *gates)

    return projected_recurrence(
        kernels.lstm(activation, recurrent_activation),
        step,
        sequences,
        initial_states,
        kernel,
        [recurrent_kernel],
        [] if bias is None else [bias],
        recurrent_mask=recurrent_mask,
        **loop,
    )
