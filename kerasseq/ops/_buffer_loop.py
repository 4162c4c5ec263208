"""A loop over time that converts to a small and fast `WHILE` op of TFLite.

TensorFlow only. The outputs are kept in one buffer of static shape, to which each
iteration appends; an iteration of the loop runs several time steps.
"""

import keras
import tensorflow as tf

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
    sequences = [tf.convert_to_tensor(x) for x in flatten(inputs)]
    length = sequences[0].shape[0]
    sequences = [tf.reverse(x, [0]) if reverse else x for x in sequences]
    example, _ = step(pack(inputs, [x[0] for x in sequences]), initial_states)
    outputs = [_blank(x, length, collect, sequences) for x in flatten(example)]
    if collect:
        sizes = [x.shape.num_elements() * x.dtype.size for x in outputs]
        current_loop_strategy().buffer_bytes += sum(sizes)
    num = _steps_per_iteration(length, collect, flatten(initial_states))
    if num > 1:  # (iterations, num, ...)
        sequences = [
            tf.reshape(x, [length // num, num, *x.shape[1:]]) for x in sequences
        ]

    def body(iteration, outputs, states):
        read = [tf.gather(x, iteration) for x in sequences]
        steps = [read] if num == 1 else zip(*map(tf.unstack, read), strict=True)
        states, collected = pack(initial_states, states), []
        for inputs_t in steps:
            outputs_t, states = step(pack(inputs, list(inputs_t)), states)
            collected.append(flatten(outputs_t))
        new = collected[-1]
        if collect:
            slots = zip(outputs, *collected, strict=True)
            new = [tf.concat([old[num:], tf.stack(x)], axis=0) for old, *x in slots]
        return iteration + 1, new, flatten(states)

    _, outputs, states = tf.while_loop(
        lambda iteration, *_: iteration < length // num,
        body,
        (tf.constant(0), outputs, flatten(initial_states)),
    )
    if collect and reverse:
        outputs = [tf.reverse(x, [0]) for x in outputs]
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
        return tf.zeros_like(example)
    shape = [length, *example.shape]
    for x in sequences:
        if x.dtype == example.dtype:
            # Any value will do, since all are replaced. One that is unknown at
            # conversion keeps a constant of the size of the buffer out of the file.
            return tf.fill(shape, tf.reshape(x, [-1])[0])
    return tf.zeros(shape, example.dtype)
