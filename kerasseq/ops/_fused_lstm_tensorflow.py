"""An LSTM that TFLite runs as one op, on TensorFlow.

The converter replaces a function with the attribute `api_implements="lstm_..."` by the
builtin op `UNIDIRECTIONAL_SEQUENCE_LSTM`. That op returns the outputs of all steps and
nothing else: it has no cell state, no mask and no direction, which are implemented with
gathers here.
"""

import uuid

import tensorflow as tf

from kerasseq.ops import _fused_lstm
from kerasseq.ops._loop_strategy import current_loop_strategy, loop_strategy


def fused_lstm(
    sequences,
    initial_states,
    kernel,
    recurrent_kernel,
    bias=None,
    mask=None,
    go_backwards=False,
    return_sequences=True,
    zero_output_for_mask=False,
    unroll=False,
):
    """Runs a long short-term memory as one op.

    Arguments and results are those of `ops.lstm`. The op does not return the cell
    state: it is computed by a loop, which is pruned from the graph if it is not used.

    Args:
        sequences: Tensor of static shape `(batch_size, time, features)`.
        initial_states: List of `h` and `c`, both of shape `(batch_size, units)`.
        kernel: Tensor of shape `(features, 4 * units)`, gates `i, f, g, o`.
        recurrent_kernel: Tensor of shape `(units, 4 * units)`.
        bias: Tensor of shape `(4 * units,)` or `None`.
        mask: Optional boolean tensor of shape `(batch_size, time)`, padded on the
            right: in each row `True` up to some step and `False` after it.
        go_backwards: Boolean, whether to process the sequence from its end. Outputs
            are in the order of processing.
        return_sequences: Boolean, whether to return the outputs of all steps.
        zero_output_for_mask: Boolean, whether masked steps return zeros.
        unroll: Not used, since there is no loop.

    Returns:
        `(outputs, [h, c])`.

    Raises:
        ValueError: If the values of the mask are known and it is not padded on the
            right.
    """
    # The converter crashes on variables as arguments.
    sequences, kernel, recurrent_kernel, h, c = map(
        tf.convert_to_tensor, [sequences, kernel, recurrent_kernel, *initial_states]
    )
    bias = tf.zeros(kernel.shape[1:]) if bias is None else tf.convert_to_tensor(bias)
    weights = [kernel, recurrent_kernel, bias]
    outputs, lengths = sequences, None
    if mask is not None:
        mask = _right_padded(mask)
        lengths = tf.reduce_sum(tf.cast(mask, "int32"), axis=1, keepdims=True)
    if go_backwards:
        outputs = _backwards(sequences, lengths)
    outputs = _one_op(outputs, h, c, weights)
    last = outputs[:, -1]
    if mask is not None:
        last = _pick(outputs, h, lengths)[:, 0]
        steps = _steps(mask, lengths, go_backwards, zero_output_for_mask)
        steps = steps if return_sequences else steps[:, -1:]
        outputs = _pick(outputs, tf.zeros_like(h), steps)
    with loop_strategy("while"):
        _, (_, c) = _loop(
            sequences, [h, c], weights, mask=mask, go_backwards=go_backwards
        )
    return outputs if return_sequences else outputs[:, -1], [last, c]


def _right_padded(mask):
    mask = tf.cast(mask, "bool")
    known = tf.get_static_value(mask)
    if known is not None and (known[:, 1:] & ~known[:, :-1]).any():
        row = (known[:, 1:] & ~known[:, :-1]).any(axis=1).argmax()
        raise ValueError(
            "The fused LSTM needs masks that are padded on the right, with all valid "
            'steps first. Pad on the right, or export with `loop_strategy="while"`. '
            f"Received: mask={known[row].astype(int).tolist()} in row {row}"
        )
    return mask


def _backwards(sequences, lengths):
    """The sequences from their last valid step to the first, padded with any step."""
    order = tf.range(sequences.shape[1] - 1, -1, -1)
    if lengths is None:
        return tf.gather(sequences, order, axis=1)
    # Not `tf.reverse_sequence`, whose builtin op has no int8 kernel.
    steps = tf.maximum(order + lengths - sequences.shape[1], 0)
    return tf.gather(sequences, steps, batch_dims=1)


def _steps(mask, lengths, go_backwards, zero_output_for_mask):
    """The step of the op that each output comes from, counted from 1; 0 for none."""
    count = tf.range(1, mask.shape[1] + 1)
    if go_backwards:  # the masked steps come first
        return tf.maximum(count + lengths - mask.shape[1], 0)
    if zero_output_for_mask:
        return count * tf.cast(mask, "int32")
    return tf.minimum(count, lengths)


def _pick(outputs, before, steps):
    outputs = tf.concat([tf.expand_dims(before, 1), outputs], axis=1)
    return tf.gather(outputs, steps, batch_dims=1)


def _one_op(inputs, h, c, weights):
    def body(inputs, h, c, *weights):
        with loop_strategy("while"):
            outputs, (h, c) = _loop(inputs, [h, c], weights)
        return outputs[:, -1], outputs, h, c, tf.constant(1.0, name="runtime")

    attributes = {
        "api_implements": f"lstm_{uuid.uuid4()}",
        "api_preferred_device": "CPU",
        "time_major": False,
        "go_backwards": False,
    }
    fused = tf.function(body, autograph=False, experimental_attributes=attributes)
    serial = 2 * current_loop_strategy().num_fusible
    h, c = _own(h, inputs, serial), _own(c, inputs, serial + 1)
    return fused(inputs, h, c, *weights)[1]


def _own(state, inputs, serial):
    """A copy of a state that is computed in each run and used by no other op.

    TFLite's op overwrites its states. A constant would start the next run with the
    final state of this one, and a tensor with two readers would change for the second.
    So the copy must be a computation on the input that the converter can neither fold
    nor merge with another: a number modulo 1 is zero, but the converter does not know.
    It is computed in integers, since the quantized op has two types for the two states.
    """
    number = tf.cast(inputs[:, 0, :1], "int32") + serial
    zeros = tf.math.floormod(number, tf.ones([1, state.shape[1]], "int32"))
    zeros = tf.cast(zeros, "float32")
    return zeros if all_zero([state]) else state + zeros


def all_zero(states):
    """Whether the initial states are known, and zero."""
    known = [tf.get_static_value(tf.convert_to_tensor(state)) for state in states]
    return all(value is not None and not value.any() for value in known)


def _loop(sequences, states, weights, **options):
    kernel, recurrent_kernel, bias = weights
    product = tf.matmul(sequences, kernel) + bias
    return _fused_lstm.loop(product, states, recurrent_kernel, **options)
