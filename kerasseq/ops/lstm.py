"""Long short-term memory over a whole sequence."""

from keras import ops

from kerasseq.ops.cells import lstm_step
from kerasseq.ops.recurrence import recurrence


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
    """Runs a long short-term memory (Hochreiter and Schmidhuber, 1997)."""
    projected = ops.matmul(sequences, kernel)
    if bias is not None:
        projected = projected + bias

    def step(x, states):
        return lstm_step(
            x,
            states,
            recurrent_kernel,
            activation,
            recurrent_activation,
            recurrent_mask,
        )

    return recurrence(step, projected, initial_states, **loop)
