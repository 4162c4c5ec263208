"""A recurrence over batch-major sequences that treats masks as Keras does."""

import keras
from keras import ops

from kerasseq.ops._time_loop import time_loop


def recurrence(
    step,
    sequences,
    initial_states,
    mask=None,
    go_backwards=False,
    return_sequences=True,
    zero_output_for_mask=False,
    unroll=False,
    output_size=None,
):
    """Runs the `step` of a cell over batch-major sequences.

    A masked step keeps the states. Its output repeats the output of the step before
    (zeros before the first valid step), or is zero with `zero_output_for_mask`.

    Args:
        step: Callable `(inputs_t, states) -> (output, states)`.
        sequences: Tensor of shape `(batch_size, time, features)`, or a nested structure
            of such tensors. `inputs_t` has the same structure.
        initial_states: List of tensors of shape `(batch_size, units)`, which may be
            nested and of other shapes.
        mask: Optional boolean tensor of shape `(batch_size, time)`. Steps that are
            `False` are skipped.
        go_backwards: Boolean, whether to process the sequence from its end. Outputs are
            in the order of processing.
        return_sequences: Boolean, whether to return the outputs of all steps.
        zero_output_for_mask: Boolean, whether masked steps return zeros.
        unroll: Boolean, whether to unroll the loop. Needs a static length.
        output_size: Shape of the output of one step without the batch, where that is
            not the shape of the first state.

    Returns:
        `(outputs, states)`, where outputs have the shape `(batch_size, time, units)`,
        or `(batch_size, units)` without `return_sequences`.
    """
    x = keras.tree.map_structure(lambda x: _time_major(x, go_backwards), sequences)
    inputs = {"x": x}
    states = {"cell": initial_states}
    if mask is not None:
        mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
        inputs["mask"] = _time_major(mask, go_backwards)
        if not zero_output_for_mask:
            states["output"] = _zeros(initial_states, output_size)

    def masked_step(inputs, states):
        output, new_cell = step(inputs["x"], states["cell"])
        new_cell = _as(states["cell"], new_cell)
        if mask is None:
            return output, {"cell": new_cell}
        keep = inputs["mask"]
        old_output = states.get("output", ops.zeros_like(output))
        output = _where(keep, output, old_output)
        cell = keras.tree.map_structure(
            lambda new, old: _where(keep, new, old), new_cell, states["cell"]
        )
        return output, {"cell": cell} | (
            {"output": output} if "output" in states else {}
        )

    outputs, states = time_loop(
        masked_step,
        inputs,
        states,
        collect=return_sequences,
        unroll=unroll,
        short_steps=True,
    )
    if return_sequences:
        outputs = ops.swapaxes(outputs, 0, 1)  # (batch_size, time, units)
    return outputs, states["cell"]


def _as(structure, new):
    """New states as the old ones are nested: a cell may return a tuple for a list."""
    return keras.tree.pack_sequence_as(structure, keras.tree.flatten(new))


def _zeros(states, size):
    state = keras.tree.flatten(states)[0]
    if size is None:
        return ops.zeros_like(state)
    return ops.zeros((ops.shape(state)[0], *size), state.dtype)


def _where(keep, new, old):
    """The new rows of a tensor of any rank where `keep`, `(batch_size, 1)`, says so."""
    for _ in new.shape[2:]:
        keep = ops.expand_dims(keep, -1)
    return ops.where(keep, new, old)


def _time_major(sequences, go_backwards):
    sequences = ops.swapaxes(sequences, 0, 1)  # (time, batch_size, features)
    return ops.flip(sequences, axis=0) if go_backwards else sequences
