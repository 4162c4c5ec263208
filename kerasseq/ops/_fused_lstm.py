"""A long short-term memory that TFLite runs as one op; TensorFlow only.

The converter turns a function that carries the attribute `api_implements="lstm_..."`
into the builtin `UNIDIRECTIONAL_SEQUENCE_LSTM` and drops its body. That op gives the
outputs of all steps and nothing else: no cell state, no mask, no direction. The rest
is made with gathers.
"""

import uuid

import keras
import tensorflow as tf

from kerasseq.ops import cells, kernels
from kerasseq.ops._loop_strategy import current_loop_strategy, loop_strategy
from kerasseq.ops._recurrence import recurrence


def wanted(sequences, initial_states, activation, recurrent_activation, recurrent_mask):
    """Whether an LSTM can be one op and the loop_strategy in force asks for it.

    One that can is counted there in any case.

    Args:
        sequences: Tensor `(batch_size, time, features)`.
        initial_states: List of `h` and `c`. Calibration for int8 fails with any but
            zeros.
        activation: Callable for the candidate and the output; the op has tanh.
        recurrent_activation: Callable for the gates; the op has sigmoid.
        recurrent_mask: Dropout mask on the hidden state, or `None`.

    Returns:
        A boolean.
    """
    fusible = (
        kernels.lstm(activation, recurrent_activation) is not None
        and recurrent_mask is None
        and None not in sequences.shape
        and keras.backend.standardize_dtype(sequences.dtype) == "float32"
    )
    so_far = current_loop_strategy()
    so_far.num_fusible += fusible
    quantized = so_far.kind == "loopless"
    return fusible and so_far.fuses and (not quantized or _all_zero(initial_states))


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

    Takes and returns what `ops.lstm` does. The cell state is not to be had from the
    op: it comes from a loop, which stands in the graph only if it is used.

    Args:
        sequences: Tensor `(batch_size, time, features)` of static shape.
        initial_states: List of `h` and `c`, `(batch_size, units)`.
        kernel: `(features, 4 * units)`, gates `i, f, g, o`.
        recurrent_kernel: `(units, 4 * units)`.
        bias: `(4 * units,)` or `None`.
        mask: Optional boolean tensor `(batch_size, time)`, padded on the right: in
            each row `True` up to some step, and `False` from there on.
        go_backwards: Process the sequence from its end; outputs come in the order of
            processing.
        return_sequences: Whether to return the outputs of all steps.
        zero_output_for_mask: Whether masked steps put out zeros.
        unroll: Not used; there are no steps to write out.

    Returns:
        `(outputs, [h, c])`.

    Raises:
        ValueError: If the values of the mask are known and it is not padded on the
            right.
    """
    # The converter wants tensors as arguments: a variable crashes it.
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
        _, (_, c) = _loop(sequences, [h, c], weights, mask, go_backwards)
    return outputs if return_sequences else outputs[:, -1], [last, c]


def _right_padded(mask):
    mask = tf.cast(mask, "bool")
    known = tf.get_static_value(mask)
    if known is not None and (known[:, 1:] & ~known[:, :-1]).any():
        row = (known[:, 1:] & ~known[:, :-1]).any(axis=1).argmax()
        raise ValueError(
            "The fused LSTM takes masks that are padded on the right: all valid steps "
            'first. Pad on the right, or export with `loop_strategy="while"`. '
            f"Received: mask={known[row].astype(int).tolist()} in row {row}"
        )
    return mask


def _backwards(sequences, lengths):
    """The sequences from their last valid step to the first, then anything."""
    order = tf.range(sequences.shape[1] - 1, -1, -1)
    if lengths is None:
        return tf.gather(sequences, order, axis=1)
    # The builtin of tf.reverse_sequence has no int8 kernel.
    steps = tf.maximum(order + lengths - sequences.shape[1], 0)
    return tf.gather(sequences, steps, batch_dims=1)


def _steps(mask, lengths, go_backwards, zero_output_for_mask):
    """Which step of the op gives each output: 1 is the first, 0 none."""
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
    """A copy of a state that is made in each run, and that no other op shares.

    TFLite's op overwrites its states. A constant would thus begin the next run with
    the end of this one, and a tensor with two readers would change under the second.
    So the copy must look like the result of a computation on the input, and like no
    other in the graph; a number modulo 1 is zero, but the converter does not know.
    Integers, since the quantized op wants the two states in two types.
    """
    number = tf.cast(inputs[:, 0, :1], "int32") + serial
    zeros = tf.math.floormod(number, tf.ones([1, state.shape[1]], "int32"))
    zeros = tf.cast(zeros, "float32")
    return zeros if _all_zero([state]) else state + zeros


def _all_zero(states):
    known = [tf.get_static_value(tf.convert_to_tensor(state)) for state in states]
    return all(value is not None and not value.any() for value in known)


def _loop(sequences, states, weights, mask=None, go_backwards=False):
    kernel, recurrent_kernel, bias = weights
    return recurrence(
        lambda x, states: cells.lstm_step(x, states, recurrent_kernel),
        tf.matmul(sequences, kernel) + bias,
        states,
        mask=mask,
        go_backwards=go_backwards,
        return_sequences=True,
    )
