"""The recurrence of a cell whose input is projected before the loop."""

from keras import ops

from kerasseq.ops import bptt
from kerasseq.ops._loop_strategy import current_loop_strategy
from kerasseq.ops._recurrence import recurrence


def projected_recurrence(
    cell,
    step,
    sequences,
    initial_states,
    kernel,
    recurrent_kernels,
    biases,
    *,
    recurrent_mask=None,
    unroll=False,
    **loop,
):
    """`ops.recurrence` of `sequences @ kernel`, in training with the gradient by hand.

    Args:
        cell: A `bptt.Cell`, or `None` where there is none: then the loop has the
            gradient that the backend makes of it.
        step: Callable `(projected, states) -> (output, states)`, the same cell.
        sequences: Tensor `(batch_size, time, features)`.
        initial_states: List of tensors `(batch_size, units)`.
        kernel: `(features, gates * units)`.
        recurrent_kernels: List, the weights of the cell (see `kernels`).
        biases: List: that of the projection first, if there is one.
        recurrent_mask: Optional dropout mask `(batch_size, units)` on the hidden state
            for `cell`; `step` knows it.
        unroll: Whether to write out every step; an option of `ops.recurrence`.
        **loop: Other options of `ops.recurrence`.

    Returns:
        `(outputs, states)`.
    """
    if cell is None or unroll or current_loop_strategy().kind != "train":
        projected = ops.matmul(sequences, kernel)
        if biases:
            projected = projected + biases[0]
        return recurrence(step, projected, initial_states, unroll=unroll, **loop)
    weights = [kernel, *recurrent_kernels, *biases]
    kernel, *weights = (ops.cast(x, sequences.dtype) for x in weights)
    return _by_hand(
        cell, sequences, kernel, initial_states, weights, recurrent_mask, **loop
    )


def _by_hand(
    cell,
    sequences,
    kernel,
    initial_states,
    weights,
    recurrent_mask,
    mask=None,
    go_backwards=False,
    return_sequences=True,
    zero_output_for_mask=False,
):
    if mask is not None:
        mask = ops.expand_dims(ops.swapaxes(ops.cast(mask, "bool"), 0, 1), -1)
    hidden, states = bptt.run(
        cell,
        ops.swapaxes(sequences, 0, 1),
        kernel,
        initial_states,
        weights,
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
