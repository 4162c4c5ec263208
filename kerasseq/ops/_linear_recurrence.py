"""The linear recurrence h_t = a_t * h_{t-1} + b_t, for all steps of a sequence."""

import functools

import keras
from keras import ops

from kerasseq.ops._manual_gradient import with_manual_gradient
from kerasseq.ops._time_loop import time_loop

METHODS = ("auto", "sequential", "doubling", "chunked")
CHUNK = 64


def linear_recurrence(decay, inputs, initial_state=None, method="auto", reverse=False):
    """Computes `h[t] = decay[t] * h[t - 1] + inputs[t]` for all steps.

    All products are elementwise, and at least in float32, also of half precision. The
    gradient is written by hand: it is itself such a recurrence, in the
    other direction, so that a step before the last costs no more memory than its state.

    Args:
        decay: Float tensor of shape `(batch_size, time, ...)`, of static length.
        inputs: Tensor of the same shape.
        initial_state: Tensor of shape `(batch_size, ...)`, the state before the first
            step; zeros by default.
        method: How it is computed, with the same result but for rounding:
            - `"sequential"`: a loop over the steps, the least work, and on a CPU the
              least time at every length and width that was tried;
            - `"doubling"`: no loop, but `log2(time)` passes over the whole sequence
              (Hillis and Steele, 1986), for short sequences on a GPU;
            - `"chunked"`: a loop over chunks of 64 steps, with doubling inside, so that
              only the states themselves are as long as the sequence;
            - `"auto"`: with a GPU by the length, up to 64 steps `"doubling"` and
              `"chunked"` beyond; else `"sequential"`.
        reverse: Boolean. Whether to go from the last step to the first, `h[t] =
            decay[t] * h[t + 1] + inputs[t]`; the initial state then lies after the
            last step.

    Returns:
        `(states, final_state)`: the states after each step, `(batch_size, time, ...)`
        in the order of `inputs`, and that after the last one that was computed,
        `(batch_size, ...)`; both of the dtype of `inputs`.

    Raises:
        ValueError: If shapes differ, the length is not known, or the method is none.

    Example:
        >>> a = np.array([[0.5, 0.5, 0.5]], "float32")
        >>> states, final = linear_recurrence(a, np.ones((1, 3), "float32"))
        >>> states  # 1, 1.5, 1.75

    Reference:
        Blelloch (1990), Prefix Sums and Their Applications; Martin and Cundy (2018),
        Parallelizing Linear Recurrent Neural Nets Over Sequence Length.
    """
    decay, inputs = ops.convert_to_tensor(decay), ops.convert_to_tensor(inputs)
    _check(decay, inputs, method)
    if initial_state is None:
        initial_state = ops.zeros_like(inputs[:, 0])
    initial_state = ops.convert_to_tensor(initial_state)
    if tuple(initial_state.shape[1:]) != tuple(inputs.shape[2:]):
        raise ValueError(
            "`initial_state` must have the shape of `inputs` without time. Received: "
            f"initial_state of shape {tuple(initial_state.shape)}, inputs of shape "
            f"{tuple(inputs.shape)}"
        )
    dtype = keras.backend.standardize_dtype(inputs.dtype)
    wide = "float64" if dtype == "float64" else "float32"
    arguments = [ops.cast(x, wide) for x in (decay, inputs, initial_state)]
    states = _differentiable(arguments, method, reverse)
    final = states[:, 0] if reverse else states[:, -1]
    return ops.cast(states, dtype), ops.cast(final, dtype)


def _check(decay, inputs, method):
    if tuple(decay.shape) != tuple(inputs.shape) or len(inputs.shape) < 2:
        raise ValueError(
            "`decay` and `inputs` must have one shape (batch_size, time, ...). "
            f"Received: shapes {tuple(decay.shape)} and {tuple(inputs.shape)}"
        )
    if not inputs.shape[1]:
        raise ValueError(
            "The length must be known, and at least 1; set the time axis in "
            f"`keras.Input`. Received: inputs of shape {tuple(inputs.shape)}"
        )
    if method not in METHODS:
        raise ValueError(
            f"`method` must be one of {METHODS}. Received: method={method!r}"
        )


def _differentiable(arguments, method, reverse):
    """All states, of tensors `[decay, inputs, initial_state]` of one dtype."""

    def forward(arguments):
        states = _run(*arguments, method, reverse)
        return [states], states

    def backward(arguments, states, upstream):
        decay, _, initial_state = arguments
        (gradient,) = upstream
        # What a state changes: its own output, and all states after it.
        after = _moved(decay, ops.zeros_like(decay[:, :1]), not reverse)
        nothing = ops.zeros_like(initial_state)
        effect = _differentiable([after, gradient, nothing], method, not reverse)
        before = _moved(states, ops.expand_dims(initial_state, 1), reverse)
        first = -1 if reverse else 0
        return [effect * before, effect, decay[:, first] * effect[:, first]]

    return with_manual_gradient(forward, backward, arguments)[0]


def _moved(x, edge, back):
    """A sequence moved by one step, to the right or `back`, with what comes in."""
    parts = [x[:, 1:], edge] if back else [edge, x[:, :-1]]
    return ops.concatenate(parts, axis=1)


def _run(decay, inputs, initial_state, method, reverse):
    length = inputs.shape[1]
    if length == 1:
        first = decay[:, 0] * initial_state + inputs[:, 0]
        return ops.expand_dims(first, 1)
    if method == "auto":
        method = _chosen(length)
    if method == "sequential":
        return _sequential(decay, inputs, initial_state, reverse)
    if reverse:
        decay, inputs = ops.flip(decay, 1), ops.flip(inputs, 1)
    compute = _chunked if method == "chunked" and length > CHUNK else doubled
    states = compute(decay, inputs, initial_state)
    return ops.flip(states, 1) if reverse else states


def _chosen(length):
    if not has_gpu():
        return "sequential"
    return "doubling" if length <= CHUNK else "chunked"


@functools.cache
def has_gpu():
    """Whether the backend computes on another device than a CPU."""
    # "cuda:0" of JAX, "gpu:0" of TensorFlow
    return not all(x.startswith("cpu") for x in keras.distribution.list_devices())


def _sequential(decay, inputs, initial_state, reverse):
    def step(row, state):
        state = row[0] * state + row[1]
        return state, state

    rows = [ops.swapaxes(x, 0, 1) for x in (decay, inputs)]
    states, _ = time_loop(step, rows, initial_state, reverse=reverse)
    return ops.swapaxes(states, 0, 1)


def doubled(decay, inputs, initial_state):
    """All states without a loop.

    After each pass a step holds the sum over twice as many steps before it.
    """
    length, distance = inputs.shape[1], 1
    states, rest = inputs, decay  # without the initial state
    while distance < length:
        states = states + rest * _shifted(states, distance, 0.0)
        rest = rest * _shifted(rest, distance, 1.0)
        distance *= 2
    return states + rest * ops.expand_dims(initial_state, 1)


def _shifted(x, distance, value):
    """A sequence moved to the right, with a value for what comes in."""
    filled = ops.full_like(x[:, :distance], value)
    return ops.concatenate([filled, x[:, :-distance]], axis=1)


def _chunked(decay, inputs, initial_state):
    length = inputs.shape[1]
    chunks = -(-length // CHUNK)

    def step(rows, state):
        states = doubled(*rows, state)
        return states, states[:, -1]

    # Steps that only fill up keep the state.
    rows = [_split(decay, chunks, 1.0), _split(inputs, chunks, 0.0)]
    states, _ = time_loop(step, rows, initial_state)
    states = ops.moveaxis(states, 0, 1)  # (batch_size, chunks, CHUNK, ...)
    shape = (-1, chunks * CHUNK, *states.shape[3:])
    return ops.reshape(states, shape)[:, :length]


def _split(x, chunks, value):
    """A sequence as chunks, `(chunks, batch_size, CHUNK, ...)`."""
    missing = chunks * CHUNK - x.shape[1]
    if missing:
        pads = [(0, 0), (0, missing)] + [(0, 0)] * (len(x.shape) - 2)
        x = ops.pad(x, pads, constant_values=value)
    x = ops.reshape(x, (-1, chunks, CHUNK, *x.shape[2:]))
    return ops.moveaxis(x, 1, 0)
