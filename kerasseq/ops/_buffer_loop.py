"""A loop over time that converts to a small and fast `WHILE` op of TFLite.

The outputs are kept in one buffer of static shape, to which each
iteration appends; an iteration of the loop runs several time steps.
"""

import math

import keras
import numpy as np
from keras import ops

from kerasseq.ops._loop_strategy import current_loop_strategy

_STEPS_PER_ITERATION = 5
_STEPS_WITHOUT_BUFFER = 2  # the overhead of an iteration is lower without a buffer
_WIDE = 128


def buffer_loop(step, inputs, initial_states, collect, reverse):
    """Runs `step` over the first axis of `inputs`, as `time_loop` does.

    Args:
        step: Callable `(inputs_t, states) -> (outputs_t, states)`.
        inputs: Nested structure of tensors of static shape `(time, ...)`.
        initial_states: Nested structure of tensors.
        collect: Boolean, whether to stack the outputs of all steps.
        reverse: Boolean, whether to run from the last step to the first.

    Returns:
        `(outputs, states)`.
    """
    flatten, pack = keras.tree.flatten, keras.tree.pack_sequence_as
    sequences = [ops.convert_to_tensor(x) for x in flatten(inputs)]
    length = sequences[0].shape[0]
    sequences = [ops.flip(x, 0) if reverse else x for x in sequences]
    dtypes = [keras.backend.standardize_dtype(x.dtype) for x in sequences]
    if keras.backend.backend() == "jax":
        # Rows are parted by SPLIT there, which a runtime does not have for booleans.
        sequences = [
            ops.cast(x, "int32") if dtype == "bool" else x
            for x, dtype in zip(sequences, dtypes, strict=True)
        ]

    def one_step(tensors, states):
        return step(pack(inputs, list(map(ops.cast, tensors, dtypes))), states)

    example, _ = one_step([x[0] for x in sequences], initial_states)
    outputs = [_blank(x, length, collect, sequences) for x in flatten(example)]
    if collect:
        current_loop_strategy().buffer_bytes += sum(map(_num_bytes, outputs))
    num = _steps_per_iteration(length, collect, flatten(initial_states))
    if num > 1:  # (iterations, num, ...)
        sequences = [
            ops.reshape(x, [length // num, num, *x.shape[1:]]) for x in sequences
        ]

    def body(iteration, outputs, states):
        read = [_row(x, iteration) for x in sequences]
        steps = [read] if num == 1 else zip(*map(ops.unstack, read), strict=True)
        states, collected = pack(initial_states, states), []
        for inputs_t in steps:
            outputs_t, states = one_step(inputs_t, states)
            collected.append(flatten(outputs_t))
        new = collected[-1]
        if collect:
            slots = zip(outputs, *collected, strict=True)
            new = [
                ops.concatenate([old[num:], ops.stack(x)], axis=0) for old, *x in slots
            ]
        return iteration + 1, new, flatten(states)

    _, outputs, states = ops.while_loop(
        lambda iteration, *_: iteration < length // num,
        body,
        (ops.convert_to_tensor(0, "int32"), outputs, flatten(initial_states)),
    )
    if collect and reverse:
        outputs = [ops.flip(x, 0) for x in outputs]
    return pack(example, outputs), pack(initial_states, states)


def _steps_per_iteration(length, collect, states):
    """The number of time steps per iteration: several if that is faster.

    A runtime packs the weights of each step in the loop separately. With narrow states
    these copies are small and the overhead of an iteration costs more; with wide ones
    the copies do not fit the cache.
    """
    if any(len(state.shape) and state.shape[-1] > _WIDE for state in states):
        return 1
    most = _STEPS_PER_ITERATION if collect else _STEPS_WITHOUT_BUFFER
    return max(num for num in range(1, most + 1) if length % num == 0)


def _blank(example, length, collect, sequences):
    """The buffer of an output before the first step."""
    if not collect:
        return ops.zeros_like(example)
    shape = [length, *example.shape]
    size = math.prod(shape)
    same = [ops.reshape(x, [-1]) for x in sequences if x.dtype == example.dtype]
    # Any values will do, since all are replaced. Ones that are unknown at conversion
    # keep a constant of the size of the buffer out of the file.
    for x in same:
        if x.shape[0] >= size:  # to copy is faster than BROADCAST_TO
            return ops.reshape(x[:size], shape)
    if same:
        return ops.broadcast_to(same[0][0], shape)
    return ops.zeros(shape, example.dtype)


def _row(x, index):
    """The row of an index that is a tensor and within bounds."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.gather(x, index)
    # `keras.ops.take` checks whether the index is negative or out of bounds.
    return x.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _num_bytes(x):
    dtype = keras.backend.standardize_dtype(x.dtype)
    return math.prod(x.shape) * np.dtype(dtype).itemsize
