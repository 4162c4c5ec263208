"""The three ways in which an `AttentionDecoder` computes a whole sequence.

All compute what its `step` computes, one position after the other.
"""

import keras
from keras import ops as kops

from kerasseq import ops
from kerasseq.layers import _state_protocol, cell_halves, cell_loop
from kerasseq.ops import bptt


def at_once(decoder, inputs, states, context, masks, training):
    """Without input feeding: layer after layer, then the attention of all steps.

    Args:
        decoder: The built layer.
        inputs: Tensor of shape `(batch_size, target_length, features)`.
        states: List of the first states.
        context: Dict from the layer's `start`.
        masks: List of dropout masks `(batch_size, units)`, or `None`.
        training: Whether the cells train.

    Returns:
        `(outputs, weights)`, `(batch_size, target_length, ...)` each.
    """
    by_layer, top = _state_protocol.by_layer(states, decoder.num_layers), None
    for index, cell in enumerate(decoder.cells):
        x = top if index else inputs
        if index and masks:
            x = x * kops.expand_dims(masks[index - 1], 1)
        hidden, _ = cell_loop.run_cell(cell, x, by_layer[index], training=training)
        top = top + hidden if index and decoder.residual else hidden
    attended, weights = decoder.source_attention.attend_all(top, context)
    outputs = decoder.output_dense(kops.concatenate([top, attended], axis=-1))
    return outputs, weights


def by_hand(decoder, inputs, states, context, masks, training):
    """With input feeding: the loop whose gradient is written by hand.

    Arguments and result are those of `at_once`; the result is `None` where a cell has
    no such gradient, or no gradient by hand is wanted.
    """
    *states, fed = states
    pairs = [cell_halves.by_hand(cell) for cell in decoder.cells]
    kernels = [kernel for kernel, _ in pairs]
    attention, first = decoder.source_attention, decoder.cells[0].kernel
    weights = {
        "kernel": first[: decoder.num_features],
        "fed_kernel": first[decoder.num_features :],
        "kernels": [cell.kernel for cell in decoder.cells[1:]],
        "weights": [weights for _, weights in pairs],
        "score": attention.score_weights,
        "output": [decoder.output_dense.kernel, decoder.output_dense.bias],
    }
    quantized = decoder.output_dense.quantization_mode is not None
    given = keras.tree.flatten([inputs, states, fed, context, weights])
    if quantized or not bptt.wanted(kernels, given):
        return None
    tensors = {
        "inputs": kops.swapaxes(inputs, 0, 1),  # (time, batch_size, features)
        "states": _state_protocol.by_layer(states, decoder.num_layers),
        "fed": fed,
        "masks": masks or [],
        **context,
    }
    weights = keras.tree.map_structure(lambda x: kops.cast(x, inputs.dtype), weights)
    collected = ops.attention_recurrence(
        kernels,
        attention.kind,
        tensors | weights,
        residual=decoder.residual,
        return_weights=decoder.return_attention,
    )
    outputs, *weights = [kops.swapaxes(x, 0, 1) for x in collected]
    return outputs, *(weights or [None])


def step_by_step(decoder, inputs, states, context, masks, training):
    """With any cell: a loop over the layer's own step. Arguments as in `at_once`."""

    def step(now, states):
        output, weights, states = decoder.compute_step(
            now, states, context, masks, training
        )
        collected = (output, weights) if decoder.return_attention else (output,)
        return collected, states

    prepared = {"product": decoder.project(inputs)}
    for index, cell in enumerate(decoder.cells):
        drawn = cell_halves.random_numbers(cell, kops.shape(inputs)[:2], training)
        if drawn:
            prepared[f"random_{index}"] = drawn
    # (batch_size, time, ...) to (time, batch_size, ...), and back
    prepared = keras.tree.map_structure(lambda x: kops.swapaxes(x, 0, 1), prepared)
    collected, _ = ops.time_loop(step, prepared, states, short_steps=True)
    outputs, *weights = [kops.swapaxes(x, 0, 1) for x in collected]
    return outputs, *(weights or [None])
