"""A decoder with attention and input feeding, back-propagated by hand.

As in `bptt`: the backward loop propagates the gradients of the states and collects
those of what was computed before each product, and the gradient of each weight, of the
memory and of the keys is one large product after the loop.
"""

import typing

import keras
from keras import ops

from kerasseq.ops import _scores, attention, bptt
from kerasseq.ops._manual_gradient import with_manual_gradient
from kerasseq.ops._time_loop import time_loop

SCORES = {"additive": _scores.ADDITIVE, "dot": _scores.DOT, "general": _scores.DOT}


class _Decoder(typing.NamedTuple):
    """What does not change from call to call."""

    cells: list
    scores: _scores.Scores
    residual: bool
    return_weights: bool


def attention_recurrence(
    cells,
    scores,
    tensors,
    *,
    residual=False,
    return_weights=False,
):
    """Runs recurrent layers that attend to a source and are fed their last output.

    A step is that of `kerasseq.layers.AttentionDecoder`. With inputs in half precision
    the states and the sums over time are float32. The gradient consists of
    differentiable ops, so that second-order gradients work.

    Args:
        cells: List of `bptt.Cell`, one per layer.
        scores: One of the names of `SCORES`.
        tensors: Dict of
            - `inputs`: `(time, batch_size, features)`;
            - `kernel`, `fed_kernel`: the first layer's projections of the input,
              `(features, gates * units)`, and of the output before, `(output_dim,
              gates * units)`;
            - `kernels`: a list, the projections of the other layers' inputs;
            - `weights`: for each layer the list of weights that its cell takes;
            - `states`: for each layer the list of its first states;
            - `fed`: the output before the first step, `(batch_size, output_dim)`;
            - `masks`: a list of dropout masks `(batch_size, units)` on the inputs of
              the layers from the second on, or an empty list;
            - `memory`, `keys`, `bias`: as `SourceAttention.start` makes them;
            - `score`: the list of weights of the scores: for `additive` the kernel of
              the query and the vector, else none;
            - `output`: kernel and bias of the output.
        residual: Whether layers from the second on add their input.
        return_weights: Whether the attention weights are returned.

    Returns:
        A list: the outputs `(time, batch_size, output_dim)` and, if wanted, the
        weights `(time, batch_size, source_length)`.
    """
    decoder = _Decoder(cells, SCORES[scores], residual, return_weights)
    dtype = tensors["inputs"].dtype

    def forward(tensors):
        tape = _forward(decoder, tensors)
        returned = [tape["output"], tape["weights"]][: 1 + return_weights]
        return [ops.cast(x, dtype) for x in returned], tape

    def backward(tensors, tape, upstream):
        return _backward(decoder, tensors, tape, upstream)

    return with_manual_gradient(forward, backward, tensors)


def _forward(decoder, tensors):
    """All that the steps compute, of shape `(time, batch_size, ...)`."""
    projected = ops.matmul(tensors["inputs"], tensors["kernel"])
    dtype = bptt.dtype_of_states(projected.dtype)
    keys, memory = tensors["keys"], tensors["memory"]
    masks = [ops.cast(mask, dtype) for mask in tensors["masks"]]
    bias = ops.cast(tensors["bias"], dtype)
    kernel, output_bias = tensors["output"]

    def step(x, states):
        fed, *states = states
        product = ops.cast(x, dtype) + bptt.product(fed, tensors["fed_kernel"])
        top, new, saved = _step_of_layers(decoder, tensors, masks, product, states)
        scores, of_scores = decoder.scores.forward(top, keys, tensors["score"])
        attended_to = attention.softmax(scores + bias)
        attended = _scores.weighted_sum(attended_to, memory)
        joined = ops.concatenate([top, attended], axis=-1)
        output = bptt.product(joined, kernel) + ops.cast(output_bias, dtype)
        output = ops.tanh(output)
        computed = {
            "output": output,
            "weights": attended_to,
            "attended": attended,
            "hidden": [states[0] for states in new],
            "saved": saved,
            "scores": of_scores,
        }
        return computed, [output, *new]

    states = [tensors["fed"], *tensors["states"]]
    states = keras.tree.map_structure(lambda x: ops.cast(x, dtype), states)
    tape, _ = time_loop(step, projected, states, short_steps=True)
    tape["fed"] = bptt.states_before(tape["output"], states[0])
    tape["before"] = [
        bptt.states_before(hidden, first[0])
        for hidden, first in zip(tape["hidden"], states[1:], strict=True)
    ]
    return tape | {"masks": masks}


def _step_of_layers(decoder, tensors, masks, product, states):
    """`(top, new states, saved)` of one step, the last two by layer."""
    top, new, saved = None, [], []
    for index, cell in enumerate(decoder.cells):
        if index:
            below = top * masks[index - 1] if masks else top
            product = bptt.product(below, tensors["kernels"][index - 1])
        before, weights = states[index], tensors["weights"][index]
        after, kept = cell.forward(product, before[0], before, weights)
        new.append(list(after))
        saved.append(kept)
        top = top + after[0] if index and decoder.residual else after[0]
    return top, new, saved


def _backward(decoder, tensors, tape, upstream):
    """The gradients, in the structure of the tensors."""
    collected, (d_fed, d_states, sums) = _backward_loop(
        decoder, tensors, tape, upstream
    )
    tops = _tops(decoder, tape)
    joined = ops.concatenate([tops[-1], tape["attended"]], axis=-1)
    d_joined = collected["joined"]
    d_keys, d_score = decoder.scores.gradients(tops[-1], collected["scores"], sums)
    d_products, d_weights, d_kernels = [], [], []
    for index, cell in enumerate(decoder.cells):
        of_cell, before = collected["cells"][index], tape["before"][index]
        d_products.append(cell.projected(of_cell))
        gradients = cell.gradients(before, tape["saved"][index], of_cell)
        d_weights.append(gradients[: len(tensors["weights"][index])])
        if index:
            below = tops[index - 1]
            below = below * tape["masks"][index - 1] if tape["masks"] else below
            d_kernels.append(bptt.kernel_gradient(below, d_products[-1]))
    d_first, inputs = d_products[0], tensors["inputs"]
    return {
        "inputs": bptt.product(d_first, ops.transpose(tensors["kernel"])),
        "kernel": bptt.kernel_gradient(ops.cast(inputs, d_first.dtype), d_first),
        "fed_kernel": bptt.kernel_gradient(tape["fed"], d_first),
        "kernels": d_kernels,
        "weights": d_weights,
        "states": d_states,
        "fed": d_fed,
        "masks": [ops.zeros_like(mask) for mask in tensors["masks"]],
        "memory": _scores.sums_of_steps(tape["weights"], collected["attended"]),
        "keys": d_keys,
        "bias": ops.zeros_like(tensors["bias"]),
        "score": d_score,
        "output": [
            bptt.kernel_gradient(joined, d_joined),
            bptt.bias_gradient(d_joined),
        ],
    }


def _backward_loop(decoder, tensors, tape, upstream):
    """`(collected, gradients of the first states and sums)`."""
    dtype = tape["output"].dtype
    keys, memory, masks = tensors["keys"], tensors["memory"], tape["masks"]
    # Outside the loop, since XLA is slow at products with a transposed matrix.
    names = ("weights", "kernels", "fed_kernel", "output")
    kept = {name: tensors[name] for name in names}
    transposed = keras.tree.map_structure(ops.transpose, kept)
    units = tape["hidden"][-1].shape[-1]

    def step(now, states):
        d_fed, d_states, sums = states
        d_joined = now["upstream"][0] + d_fed
        d_joined = d_joined * (1 - now["output"] * now["output"])
        d_both = bptt.product(d_joined, transposed["output"][0])
        d_top, d_attended = d_both[:, :units], d_both[:, units:]
        d_weights = _scores.similarities(d_attended, memory)
        if decoder.return_weights:
            d_weights = d_weights + now["upstream"][1]
        weights = now["weights"]
        mean = ops.sum(weights * d_weights, axis=-1, keepdims=True)
        d_scores = weights * (d_weights - mean)
        d_query, of_scores, sums = decoder.scores.backward(
            d_scores, now["scores"], keys, tensors["score"], sums
        )
        d_product, d_before, of_cells = _step_back_of_layers(
            decoder, transposed, masks, now, d_top + d_query, d_states
        )
        d_fed = bptt.product(d_product, transposed["fed_kernel"])
        collected = {
            "joined": d_joined,
            "attended": d_attended,
            "scores": of_scores,
            "cells": of_cells,
        }
        return collected, (d_fed, d_before, sums)

    names = ("output", "weights", "scores", "before", "hidden", "saved")
    inputs = {name: tape[name] for name in names}
    inputs["upstream"] = [ops.cast(x, dtype) for x in upstream]
    zeros = keras.tree.map_structure(
        lambda x: ops.zeros_like(x, dtype=dtype), (tensors["fed"], tensors["states"])
    )
    sums = decoder.scores.sums(tape["hidden"][-1][0], keys)
    first = (*zeros, sums)
    return time_loop(step, inputs, first, reverse=True, short_steps=True)


def _step_back_of_layers(decoder, transposed, masks, now, d_top, d_states):
    """`(d_product, d_states before, collected)` of one step, the last two by layer."""
    d_before, of_cells = [], []
    for index in reversed(range(len(decoder.cells))):
        cell, before = decoder.cells[index], now["before"][index]
        hidden = bptt.Hidden(before, before, now["hidden"][index])
        live = [d_states[index][0] + d_top, *d_states[index][1:]]
        of_cell, d_seen, d_state = cell.backward(
            now["saved"][index], hidden, live, transposed["weights"][index]
        )
        d_before.insert(0, [d_state[0] + d_seen, *d_state[1:]])
        of_cells.insert(0, of_cell)
        d_product = cell.projected(of_cell)
        if index:
            d_below = bptt.product(d_product, transposed["kernels"][index - 1])
            d_below = d_below * masks[index - 1] if masks else d_below
            d_top = d_top + d_below if decoder.residual else d_below
    return d_product, d_before, of_cells


def _tops(decoder, tape):
    """What each layer hands on, at all steps."""
    tops = []
    for hidden in tape["hidden"]:
        tops.append(tops[-1] + hidden if tops and decoder.residual else hidden)
    return tops
