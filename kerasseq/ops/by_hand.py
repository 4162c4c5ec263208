"""A recurrence in training, with its gradient written by hand where there is one."""

from keras import ops

from kerasseq.ops import bptt
from kerasseq.ops.time_loop import current_lowering


def applies(cell, unroll=False, **_):
    """Whether `recurrence` is to be used for a cell: in training, and not unrolled.

    Args:
        cell: A `bptt.Cell`, or `None` for a cell without one.
        unroll: Whether the layer asked to have its steps written out.

    Returns:
        A boolean.
    """
    return cell is not None and not unroll and current_lowering().kind == "train"


def recurrence(
    cell,
    sequences,
    initial_states,
    kernel,
    weights,
    *,
    recurrent_mask=None,
    mask=None,
    go_backwards=False,
    return_sequences=True,
    zero_output_for_mask=False,
    unroll=False,
):
    """`ops.recurrence` of a projected sequence, run by `bptt`.

    Args:
        cell: A `bptt.Cell`.
        sequences: Tensor `(batch_size, time, features)`, not yet projected: to bring
            them in time order costs less before.
        initial_states: List of tensors `(batch_size, units)`.
        kernel: `(features, gates * units)`.
        weights: List of the other weights, see `kernels`.
        recurrent_mask: Optional dropout mask `(batch_size, units)` on the hidden state.
        mask: As in `ops.recurrence`, like all that follow.

    Returns:
        `(outputs, states)`.
    """
    projected = ops.matmul(ops.swapaxes(sequences, 0, 1), kernel)
    if mask is not None:
        mask = ops.expand_dims(ops.swapaxes(ops.cast(mask, "bool"), 0, 1), -1)
    hidden, states = bptt.run(
        cell,
        projected,
        initial_states,
        [ops.cast(weight, projected.dtype) for weight in weights],
        mask=mask,
        recurrent_mask=recurrent_mask,
        reverse=go_backwards,
    )
    if mask is None and not return_sequences:
        return states[0], states
    if mask is not None:
        shown = mask if zero_output_for_mask else _begun(mask, go_backwards)
        hidden = ops.where(shown, hidden, ops.cast(0, hidden.dtype))
    if not return_sequences:
        return hidden[0 if go_backwards else -1], states
    hidden = ops.swapaxes(hidden, 0, 1)
    return ops.flip(hidden, axis=1) if go_backwards else hidden, states


def _begun(mask, go_backwards):
    """Where a valid step has been met: before it, a layer puts out zeros."""
    count = ops.cast(mask, "int32")
    if go_backwards:
        return ops.flip(ops.cumsum(ops.flip(count, axis=0), axis=0), axis=0) > 0
    return ops.cumsum(count, axis=0) > 0
