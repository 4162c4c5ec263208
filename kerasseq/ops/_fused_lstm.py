"""Whether an LSTM of an export can be one op of TFLite, and that op."""

import importlib

import keras

from kerasseq.ops import cells, kernels
from kerasseq.ops._loop_strategy import current_loop_strategy
from kerasseq.ops._recurrence import recurrence


def wanted(
    sequences,
    initial_states,
    activation,
    recurrent_activation,
    recurrent_mask,
    mask=None,
):
    """Whether an LSTM can be one op and the current loop strategy fuses it.

    Counts every LSTM that can be one op in the `LoopStrategy`.

    Args:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_states: List of `h` and `c`. Calibration for int8 fails unless they are
            zero.
        activation: Callable for the candidate and the output; the op has tanh.
        recurrent_activation: Callable for the gates; the op has sigmoid.
        recurrent_mask: Dropout mask on the hidden state, or `None`.
        mask: Mask of the steps, or `None`; on JAX the op takes none.

    Returns:
        A boolean.
    """
    on_jax = keras.backend.backend() == "jax"
    fusible = (
        kernels.lstm(activation, recurrent_activation) is not None
        and recurrent_mask is None
        and not (on_jax and mask is not None)
        and None not in sequences.shape
        and keras.backend.standardize_dtype(sequences.dtype) == "float32"
    )
    so_far = current_loop_strategy()
    so_far.num_fusible += fusible
    so_far.num_masked += fusible and mask is not None
    if not fusible or so_far.kind != "loopless":
        return fusible and so_far.fuses
    # LiteRT's own quantizer leaves the op in float.
    return not on_jax and _module().all_zero(initial_states)


def fused_lstm(*arguments, **options):
    """As `ops.lstm` with tanh and sigmoid, in one op."""
    return _module().fused_lstm(*arguments, **options)


def loop(product, states, recurrent_kernel, **options):
    """The recurrence that the op stands for.

    Args:
        product: Tensor `(batch_size, time, 4 * units)`, the input's part of the gates.
        states: List of `h` and `c`.
        recurrent_kernel: Tensor of shape `(units, 4 * units)`.
        **options: Of `recurrence`: `mask`, `go_backwards`.

    Returns:
        `(outputs, [h, c])`.
    """

    def step(x, states):
        return cells.lstm_step(x, states, recurrent_kernel)

    return recurrence(step, product, states, return_sequences=True, **options)


def _module():
    backend = keras.backend.backend()
    return importlib.import_module(f"kerasseq.ops._fused_lstm_{backend}")
