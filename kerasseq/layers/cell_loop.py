"""Loops a recurrent cell over a sequence in the best way its class allows."""

import keras
from keras import ops as kops

from kerasseq import ops
from kerasseq.layers import cell_halves, split_lstm_cell


def run_cell(cell, sequences, initial_states, *, training=False, **loop):
    """Loops a cell over a sequence.

    The cells of `keras.layers.{SimpleRNN, LSTM, GRU}` run as `ops.simple_rnn`,
    `ops.lstm` and `ops.gru`. A `SplitLSTMCell` has its input projection, and the random
    numbers of its steps, hoisted out of the loop. `StackedRNNCells` run one cell after
    the other, each over the whole sequence. Any other cell, subclasses of Keras' own
    among them, is called once a step, and what its attributes mean is its own.

    Args:
        cell: A built Keras cell.
        sequences: Tensor `(batch_size, time, features)`.
        initial_states: List of tensors `(batch_size, units)`; for `StackedRNNCells` a
            list with the states of each cell.
        training: Whether dropout is applied.
        **loop: Options of `ops.recurrence`: `mask`, `go_backwards`,
            `return_sequences`, `zero_output_for_mask`, `unroll`.

    Returns:
        `(outputs, states)`, outputs `(batch_size, time, units)`, or
        `(batch_size, units)` without `return_sequences`.
    """
    if isinstance(cell, keras.layers.StackedRNNCells):
        return _run_stack(cell, sequences, initial_states, training, loop)
    if not draws_masks_here(cell):
        return _run_any(cell, sequences, initial_states, training, loop)
    if not keras.backend.is_float_dtype(sequences.dtype):
        sequences = kops.cast(sequences, cell.compute_dtype)
    if training and cell.dropout:
        dropped = _mask(cell, cell.dropout, sequences[:, 0])
        sequences = sequences * kops.expand_dims(dropped, 1)
    mask = None
    if training and cell.recurrent_dropout:
        mask = _mask(cell, cell.recurrent_dropout, initial_states[0])
    if cell_halves.is_stock(cell):
        loop["recurrent_mask"] = mask
        return cell_halves.run(cell, sequences, initial_states, **loop)
    cell._recurrent_dropout_mask = mask  # where `step` finds it
    return ops.recurrence(
        lambda x, states: cell.step(x, states, training),
        cell.project(sequences, training),
        initial_states,
        **loop,
    )


def _mask(cell, rate, like):
    """Keras' cells would draw it in a way that is slow under XLA on a CPU."""
    return ops.dropout(kops.ones_like(like), rate, cell.seed_generator)


def draws_masks_here(cell):
    """Whether `run_cell` draws a cell's dropout masks, and in training alone."""
    split = isinstance(cell, split_lstm_cell.SplitLSTMCell)
    return split or cell_halves.is_stock(cell)


def variational_dropout(cell):
    """Makes a cell draw one dropout mask for all its gates, as the kernels want it."""
    for part in getattr(cell, "cells", [cell]):
        if cell_halves.is_stock(part):
            part.dropout_mask_count = None


def _run_stack(stack, sequences, initial_states, training, loop):
    """Cell after cell; only the last one's outputs follow the caller's options."""
    below_last = {"return_sequences": True, "zero_output_for_mask": False}
    final = []
    for cell, states in zip(stack.cells, initial_states, strict=True):
        last = len(final) == len(stack.cells) - 1
        nested = isinstance(states, (list, tuple))
        sequences, states = run_cell(
            cell,
            sequences,
            list(states) if nested else [states],
            training=training,
            **(loop if last else loop | below_last),
        )
        final.append(states if nested else states[0])
        if loop.get("go_backwards") and not last:
            # The outputs come in the order of steps: from here on time runs on.
            loop = loop | {"go_backwards": False}
            if loop.get("mask") is not None:
                loop["mask"] = kops.flip(loop["mask"], axis=1)
    return sequences, final


def _run_any(cell, sequences, initial_states, training, loop):
    options = {}
    if getattr(cell, "_call_has_training_arg", False):
        options["training"] = training

    def step(inputs, states):
        output, states = cell(inputs, states, **options)
        return output, states if isinstance(states, (list, tuple)) else [states]

    size = None
    if loop.get("mask") is not None:
        size = _output_size(cell, step, sequences, initial_states)
    return ops.recurrence(step, sequences, initial_states, output_size=size, **loop)


def _output_size(cell, step, sequences, initial_states):
    """Shape of an output without the batch: what the cell says, else what it does."""
    size = getattr(cell, "output_size", None)
    if size is None:
        output, _ = step(sequences[:, 0], initial_states)
        return tuple(output.shape[1:])
    return (size,) if isinstance(size, int) else tuple(size)
