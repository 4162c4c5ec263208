"""One loop over time that compiles under XLA on TensorFlow and on JAX."""

import functools

import keras

from kerasseq.ops._loop_strategy import current_loop_strategy

# An iteration of a loop on a GPU costs some microseconds, as much as a small product.
# Of eight steps of an LSTM or a GRU it leaves 53 to 85 % of the time of a training step
# on an H200 (`benchmarks.gpu`), and XLA compiles them in one to three seconds more.
STEPS_ON_A_GPU = 8


def time_loop(
    step,
    inputs,
    initial_states,
    collect=True,
    unroll=False,
    reverse=False,
    short_steps=False,
):
    """Runs `step` over the first axis of `inputs`.

    On TensorFlow this is a `tf.while_loop` whose bound is the static length, so that
    XLA can compile its gradient as well; on JAX it is `lax.scan`. (`keras.ops.scan` has
    no gradient under XLA on TensorFlow.) With a static length of 1 there is no loop, so
    that a model exported to run token by token has none.

    Args:
        step: Callable `(inputs_t, states) -> (outputs_t, states)`. `inputs_t` has the
            structure of `inputs` without the time axis. States must keep their
            structure, shapes and dtypes.
        inputs: Nested structure of tensors of shape `(time, ...)`, all of the same
            length.
        initial_states: Nested structure of tensors.
        collect: Boolean, whether to stack the outputs of all steps. If `False`, only
            the outputs of the last step are returned, which needs less memory.
        unroll: Boolean, whether to unroll the loop. Needs a static length.
        reverse: Boolean, whether to run from the last step to the first. Outputs keep
            the order of the inputs.
        short_steps: Boolean, whether a step is little work, such as a recurrent cell.
            On a GPU, JAX then runs eight of them in one iteration of the loop, which
            costs as much as they do.

    Returns:
        `(outputs, states)`. Outputs have the shape `(time, ...)` with `collect`, else
        that of one step.

    Raises:
        ValueError: On a backend other than TensorFlow or JAX, or if a loop without a
            static length is unrolled.

    Example:
        >>> outputs, total = time_loop(
        ...     lambda x, total: (total + x, total + x),
        ...     keras.ops.arange(4.0),
        ...     keras.ops.zeros(()),
        ... )
        >>> outputs  # 0, 1, 3, 6
    """
    so_far = current_loop_strategy()
    kind, length = so_far.kind, keras.tree.flatten(inputs)[0].shape[0]
    if not unroll and length not in (None, 1):
        so_far.num_steps += length
    backend = keras.backend.backend()
    if unroll or length == 1 or kind in ("unrolled", "loopless"):
        loop = _unrolled_loop
    elif backend in ("tensorflow", "jax") and kind in ("while", "fused"):
        from kerasseq.ops import _buffer_loop

        _static_length(inputs)
        loop = _buffer_loop.buffer_loop
    elif backend == "tensorflow":
        loop = _tensorflow_loop
    elif backend == "jax":
        loop = functools.partial(_jax_loop, short_steps=short_steps)
    else:
        raise ValueError(
            "kerasseq runs on the TensorFlow and JAX backends. "
            f"Received: keras.backend.backend()={backend!r}. "
            "Set KERAS_BACKEND=tensorflow or KERAS_BACKEND=jax."
        )
    return loop(step, inputs, initial_states, collect, reverse)


def _static_length(inputs):
    length = keras.tree.flatten(inputs)[0].shape[0]
    if length is None:
        raise ValueError(
            "This loop needs a static number of time steps; set the time axis in "
            "`keras.Input`. Received: an input of unknown length"
        )
    return length


def _unrolled_loop(step, inputs, states, collect, reverse):
    collected = []
    length = _static_length(inputs)
    unstacked = [keras.ops.unstack(x, length) for x in keras.tree.flatten(inputs)]
    for time in reversed(range(length)) if reverse else range(length):
        inputs_t = keras.tree.pack_sequence_as(inputs, [x[time] for x in unstacked])
        outputs, states = step(inputs_t, states)
        collected.append(outputs)
    if collect:
        collected = collected[::-1] if reverse else collected
        outputs = keras.tree.map_structure(lambda *x: keras.ops.stack(x), *collected)
    return outputs, states


def _tensorflow_loop(step, inputs, initial_states, collect, reverse):
    import tensorflow as tf

    flatten, pack = keras.tree.flatten, keras.tree.pack_sequence_as
    sequences = [tf.convert_to_tensor(x) for x in flatten(inputs)]
    length = sequences[0].shape[0]
    if length is None:
        length = tf.shape(sequences[0])[0]
    readers = [_unstacked(x, length) for x in sequences]

    first = pack(inputs, [x[0] for x in sequences])
    # Only its shapes and dtypes are used; it is pruned from the graph.
    example, _ = step(first, initial_states)
    outputs = [_output_slot(x, length, collect) for x in flatten(example)]

    def body(count, outputs, states):
        time = length - 1 - count if reverse else count
        inputs_t = pack(inputs, [reader.read(time) for reader in readers])
        outputs_t, new_states = step(inputs_t, pack(initial_states, states))
        outputs_t = flatten(outputs_t)
        if collect:
            written = zip(outputs, outputs_t, strict=True)
            outputs_t = [slot.write(time, x) for slot, x in written]
        return count + 1, outputs_t, flatten(new_states)

    _, outputs, states = tf.while_loop(
        lambda count, *_: count < length,
        body,
        (tf.constant(0), outputs, flatten(initial_states)),
        maximum_iterations=length,
    )
    if collect:
        outputs = [slot.stack() for slot in outputs]
    return pack(example, outputs), pack(initial_states, states)


def _unstacked(sequence, length):
    import tensorflow as tf

    array = tf.TensorArray(
        sequence.dtype, size=length, element_shape=sequence.shape[1:]
    )
    return array.unstack(sequence)


def _output_slot(example, length, collect):
    import tensorflow as tf

    if not collect:
        return tf.zeros_like(example)
    return tf.TensorArray(example.dtype, size=length, element_shape=example.shape)


def _jax_loop(step, inputs, initial_states, collect, reverse, short_steps):
    import jax

    options = {"reverse": reverse}
    if short_steps and jax.default_backend() == "gpu":
        options["unroll"] = STEPS_ON_A_GPU
    if collect:
        states, outputs = jax.lax.scan(
            lambda states, x: step(x, states)[::-1], initial_states, inputs, **options
        )
        return outputs, states
    first = jax.tree_util.tree_map(lambda x: x[0], inputs)
    example = jax.eval_shape(
        lambda x, states: step(x, states)[0], first, initial_states
    )
    empty = jax.tree_util.tree_map(lambda x: jax.numpy.zeros(x.shape, x.dtype), example)
    last, _ = jax.lax.scan(
        lambda before, x: (step(x, before[1]), None),
        (empty, initial_states),
        inputs,
        **options,
    )
    return last
