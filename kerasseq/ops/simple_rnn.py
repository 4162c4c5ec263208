"""Elman network over a whole sequence."""

from keras import ops

from kerasseq.ops.cells import simple_rnn_step
from kerasseq.ops.recurrence import recurrence


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
    """Runs an Elman (1990) recurrent network."""
    projected = ops.matmul(sequences, kernel)
    if bias is not None:
        projected = projected + bias
    return recurrence(
        lambda x, states: simple_rnn_step(
            x, states, recurrent_kernel, activation, recurrent_mask
        ),
        projected,
        initial_states,
        **loop,
    )
