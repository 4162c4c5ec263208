"""A recurrence over batch-major sequences, with Keras' rules for masks."""

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
):
    """Runs a cell's `step` over batch-major sequences.

    A masked step keeps the states; its output repeats the output of the step before
    (zeros before the first step), or is zero with `zero_output_for_mask`.

    Args:
        step: callable `(inputs_t, states) -> (output, states)`.
        sequences: tensor `(batch_size, time, features)`, or a nested structure of
            such tensors; `inputs_t` has the same structure.
        initial_states: list of tensors `(batch_size, units)`.
        mask: optional boolean tensor `(batch_size, time)`; `False` skips the step.
        go_backwards: process the sequence from its end; outputs come in the order of
            processing.
        return_sequences: whether to return the outputs of all steps.
        zero_output_for_mask: whether masked steps put out zeros.
        unroll: write out every step instead of looping; needs a static length.

    Returns:
        `(outputs, states)`, outputs `(batch_size, time, units)` or, without
        `return_sequences`, `(batch_size, units)`.
    """
    x = keras.tree.map_structure(lambda x: _time_major(x, go_backwards), sequences)
    inputs = {"x": x}
    states = {"cell": initial_states}
    if mask is not None:
        mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
        inputs["mask"] = _time_major(mask, go_backwards)
        if not zero_output_for_mask:
            states["output"] = ops.zeros_like(initial_states[0])

    def masked_step(inputs, states):
        output, new_cell = step(inputs["x"], states["cell"])
        if mask is None:
            return output, {"cell": new_cell}
        keep = inputs["mask"]
        old_output = states.get("output", ops.zeros_like(output))
        output = ops.where(keep, output, old_output)
        pairs = zip(new_cell, states["cell"], strict=True)
        cell = [ops.where(keep, new, old) for new, old in pairs]
        return output, {"cell": cell} | (
            {"output": output} if "output" in states else {}
        )

    outputs, states = time_loop(
        masked_step, inputs, states, collect=return_sequences, unroll=unroll
    )
    if return_sequences:
        outputs = ops.swapaxes(outputs, 0, 1)
    return outputs, states["cell"]


def _time_major(sequences, go_backwards):
    sequences = ops.swapaxes(sequences, 0, 1)
    return ops.flip(sequences, axis=0) if go_backwards else sequences
