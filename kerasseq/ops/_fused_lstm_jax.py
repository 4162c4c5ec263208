"""An LSTM that TFLite runs as one op, on JAX.

The export replaces a composite of this name by `UNIDIRECTIONAL_SEQUENCE_LSTM`, see
`kerasseq.export.stablehlo.fused_lstm`; where something else compiles it, it is a loop.
"""

from jax import lax
from keras import ops

from kerasseq.ops import _fused_lstm
from kerasseq.ops._loop_strategy import loop_strategy

NAME = "kerasseq.lstm"


def fused_lstm(
    sequences,
    initial_states,
    kernel,
    recurrent_kernel,
    bias=None,
    go_backwards=False,
    return_sequences=True,
    **loop,
):
    """Runs a long short-term memory as one op.

    Arguments and results are those of `ops.lstm`, without a mask.

    Args:
        sequences: Tensor of static shape `(batch_size, time, features)`.
        initial_states: List of `h` and `c`, both of shape `(batch_size, units)`.
        kernel: Tensor of shape `(features, 4 * units)`, gates `i, f, g, o`.
        recurrent_kernel: Tensor of shape `(units, 4 * units)`.
        bias: Tensor of shape `(4 * units,)` or `None`.
        go_backwards: Boolean, whether to process the sequence from its end. Outputs
            are in the order of processing.
        return_sequences: Boolean, whether to return the outputs of all steps.
        **loop: Options of a loop or a mask, of which there is none.

    Returns:
        `(outputs, [h, c])`.
    """
    if bias is None:
        bias = ops.zeros(kernel.shape[1:])
    if go_backwards:
        sequences = ops.flip(sequences, axis=1)
    arguments = [sequences, *initial_states, kernel, recurrent_kernel, bias]
    composite = lax.composite(_loop, name=NAME)
    outputs, c = composite(*map(ops.convert_to_tensor, arguments))
    last = outputs[:, -1]
    return outputs if return_sequences else last, [last, c]


def _loop(sequences, h, c, kernel, recurrent_kernel, bias):
    product = ops.matmul(sequences, kernel) + bias
    with loop_strategy("while"):
        outputs, (_, c) = _fused_lstm.loop(product, [h, c], recurrent_kernel)
    return outputs, c
