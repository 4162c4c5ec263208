"""Gated recurrent unit over a whole sequence."""

from keras import ops

from kerasseq.ops.cells import gru_step
from kerasseq.ops.recurrence import recurrence


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
    """Runs a gated recurrent unit (Cho et al., 2014)."""
    projected = ops.matmul(sequences, kernel)
    input_bias, recurrent_bias = bias, None
    if bias is not None and reset_after:
        input_bias, recurrent_bias = bias[0], bias[1]
    if bias is not None:
        projected = projected + input_bias
    return recurrence(
        lambda x, states: gru_step(
            x,
            states,
            recurrent_kernel,
            recurrent_bias,
            activation,
            recurrent_activation,
            reset_after,
            recurrent_mask,
        ),
        projected,
        initial_states,
        **loop,
    )
