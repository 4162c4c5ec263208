"""The recurrence of a cell whose inputs are projected before the loop."""

from keras import ops

from kerasseq.ops import bptt
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
    """`ops.recurrence` of `sequences @ kernel`, if possible with a manual gradient.

    Args:
        cell: A `bptt.Cell`, or `None` for the automatic gradient of the loop.
        step: Callable `(projected, states) -> (output, states)`, the same cell.
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_states: List of tensors of shape `(batch_size, units)`.
        kernel: Tensor of shape `(features, gates * units)`.
        recurrent_kernels: List of tensors, the weights of the cell (see `kernels`).
        biases: List of tensors, the bias of the projection first. May be empty.
        recurrent_mask: Optional dropout mask of shape `(batch_size, units)` on the
            hidden state, for `cell`. `step` must apply it by itself.
        unroll: Boolean, whether to unroll the loop, as in `ops.recurrence`.
        **loop: Other options of `ops.recurrence`.

    Returns:
        `(outputs, states)`.
    """
    weights = [kernel, *recurrent_kernels, *biases]
    if unroll or not bptt.wanted([cell], [sequences, *initial_states, *weights]):
        projected = ops.matmul(sequences, kernel)
        if biases:
            projected = projected + biases[0]
        return recurrence(step, projected, initial_states, unroll=unroll, **loop)
    kernel, *weights = (ops.cast(x, sequences.dtype) for x in weights)
    return _with_manual_gradient(
        cell, sequences, kernel, initial_states, weights, recurrent_mask, **loop
    )


def _with_manual_gradient(
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
    if mask is not None:  # (time, batch_size, 1)
        mask = ops.expand_dims(ops.swapaxes(ops.cast(mask, "bool"), 0, 1), -1)
    hidden, states = bptt.run(
        cell,
        ops.swapaxes(sequences, 0, 1),  # (time, batch_size, features)
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
    hidden = ops.swapaxes(hidden, 0, 1)  # (batch_size, time, units)
    return ops.flip(hidden, axis=1) if go_backwards else hidden, states


def _begun(mask, go_backwards):
    """Whether a valid step has come so far; before it a layer returns zeros."""
    count = ops.cast(mask, "int32")
    if go_backwards:
        return ops.flip(ops.cumsum(ops.flip(count, axis=0), axis=0), axis=0) > 0
    return ops.cumsum(count, axis=0) > 0
