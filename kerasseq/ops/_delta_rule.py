"""The generalized delta rule of RWKV-7 (Peng et al., 2025).

    S_t = S_{t-1} (diag(w_t) - p_t q_t^T) + v_t k_t^T
    y_t = S_t r_t

A state is a matrix for each head. Those of all steps together would fill the memory:
they exist for one chunk of steps at a time. Only the state at the beginning of each
chunk is kept; the gradient computes the others again, or does without them.
"""

import typing

from keras import ops

from kerasseq.ops import _chunks, _delta_rule_chunk
from kerasseq.ops._loop_strategy import current_loop_strategy
from kerasseq.ops._time_loop import time_loop

CHUNK = 16
LARGE = 48  # keys from which on a CPU takes products of matrices faster than steps


class _Rows(typing.NamedTuple):
    """What a step reads, each `(batch_size, heads, size)`; `write` is `-q`."""

    out: typing.Any
    log_decay: typing.Any
    key: typing.Any
    value: typing.Any
    read: typing.Any
    write: typing.Any


def delta_rule(
    receptance,
    log_decay,
    keys,
    values,
    removal_keys,
    removal_weights,
    initial_state=None,
    method="auto",
):
    """Runs a matrix-valued memory that forgets, removes and adds at each step.

        S_t = S_{t-1} (diag(exp(log_decay_t)) - p_t q_t^T) + v_t k_t^T
        y_t = S_t r_t

    Computed in float32. The gradient is written by hand and needs the states of one
    chunk of 16 steps at a time.

    Args:
        receptance: Tensor `(batch_size, time, heads, key_size)`: `r`. Where the length
            is not known when the graph is built, the loop has its automatic gradient,
            which keeps all states.
        log_decay: Tensor of the same shape, at most 0: the logarithm of `w`. The
            chunked form takes products over a chunk apart, for which it must be at
            least -5; that of RWKV-7 is above -0.61.
        keys: Tensor of the same shape: `k`.
        values: Tensor `(batch_size, time, heads, value_size)`: `v`.
        removal_keys: Tensor of the shape of `keys`: `p`, for what the state holds and
            loses.
        removal_weights: Tensor of the same shape: `q`, for RWKV-7 the learning rate
            times `p`.
        initial_state: Tensor `(batch_size, heads, value_size, key_size)`; zeros by
            default.
        method: `"sequential"`, a loop over steps; `"chunked"`, a loop over chunks
            without one inside; `"auto"`, the second with a GPU or keys of 48 and more
            numbers, else the first.

    Returns:
        `(outputs, final_state)`: of the shape and the dtype of `values`, and float32 of
        the shape of `initial_state`.

    Raises:
        ValueError: If shapes do not fit, or the method is none of the choices.

    Reference:
        Peng et al. (2025), RWKV-7 "Goose" with Expressive Dynamic State Evolution; Yang
        et al. (2024), Parallelizing Linear Transformers with the Delta Rule over
        Sequence Length, for the form in chunks.
    """
    dtype = values.dtype
    rows = (receptance, log_decay, keys, values, removal_keys, removal_weights)
    rows = _Rows(*(ops.cast(x, "float32") for x in rows))
    _check(rows)
    on_cpu = "chunked" if rows.key.shape[3] >= LARGE else "sequential"
    method = _chunks.chosen(method, on_cpu)
    sizes = (rows.key.shape[2], rows.value.shape[3], rows.key.shape[3])
    if initial_state is None:
        initial_state = ops.zeros((ops.shape(rows.key)[0], *sizes), "float32")
    state = ops.cast(initial_state, "float32")
    if tuple(state.shape[1:]) != sizes:
        raise ValueError(
            f"`initial_state` must have the shape (batch_size, {sizes[0]}, {sizes[1]}, "
            f"{sizes[2]}). Received: shape {tuple(state.shape)}"
        )
    rows = _Rows(*(ops.swapaxes(x, 0, 1) for x in rows))
    rows = rows._replace(write=-rows.write)
    if current_loop_strategy().kind == "train" and (rows.key.shape[0] or 0) > 1:
        y, state = _differentiable(rows, state, method)
    else:
        y, state = _steps(rows, state)
    return ops.cast(ops.swapaxes(y, 0, 1), dtype), state


def _check(rows):
    shapes = [tuple(x.shape) for x in rows]
    narrow, wide = shapes[2], shapes[3]
    fits = len(narrow) == len(wide) == 4 and wide[1:3] == narrow[1:3]
    if not fits or any(x != narrow for x in (*shapes[:2], *shapes[4:])):
        raise ValueError(
            "All sequences but `values` must be (batch_size, time, heads, key_size), "
            "and `values` (batch_size, time, heads, value_size). Received: shapes "
            f"{shapes}, `values` the fourth"
        )
    if narrow[1] == 0:
        raise ValueError(
            f"A sequence has at least one step. Received: keys of shape {narrow}"
        )


def _differentiable(rows, state, method):
    """Outputs and last state, time first, with a gradient of their own."""
    length, chunked = rows.key.shape[0], method == "chunked"
    # Steps that fill up change no state.
    rows = tuple(_chunks.split(x, CHUNK) for x in rows)

    def run(rows, state):
        return (_delta_rule_chunk.at_once if chunked else _steps)(_Rows(*rows), state)

    def back(rows, *others):
        by = _delta_rule_chunk.back_at_once if chunked else _back_by_steps
        return by(_Rows(*rows), *others)

    y, end = _chunks.recurrence(run, back, rows, state)
    return _chunks.join(y, length), end


def _steps(rows, state):
    """The outputs and the last state, in a loop over the steps."""

    def step(row, state):
        row = _Rows(*row)
        state = _next(row, state)
        return _times(state, row.out), state

    return time_loop(step, tuple(rows), state)


def _next(row, state):
    kept = state * _as_row(ops.exp(row.log_decay))
    kept = kept + _outer(_times(state, row.read), row.write)
    return kept + _outer(row.value, row.key)


def _as_row(x):
    return ops.expand_dims(x, -2)


def _outer(x, y):
    return ops.expand_dims(x, -1) * _as_row(y)


def _times(matrix, x):
    return ops.sum(matrix * _as_row(x), axis=-1)


def _transposed_times(matrix, x):
    return ops.sum(matrix * ops.expand_dims(x, -1), axis=-2)


def _back_by_steps(rows, start, dy, effect):
    """Gradients of a chunk: of its rows, and of the state before it.

    `effect` is the gradient of the last state by what comes after the chunk.
    """

    def again(row, state):
        return state, _next(_Rows(*row), state)

    before, _ = time_loop(again, tuple(rows), start)

    def step(inputs, effect):
        row, before, dy = inputs
        return _back(_Rows(*row), before, dy, effect)

    return time_loop(step, (tuple(rows), before, dy), effect, reverse=True)


def _back(row, before, dy, effect):
    """Gradients of one step: of its row, and of the state before."""
    decay, found = ops.exp(row.log_decay), _times(before, row.read)
    effect = effect + _outer(dy, row.out)
    of_found = _times(effect, row.write)
    gradients = _Rows(
        out=_transposed_times(_next(row, before), dy),
        log_decay=decay * ops.sum(effect * before, axis=-2),
        key=_transposed_times(effect, row.value),
        value=_times(effect, row.key),
        read=_transposed_times(before, of_found),
        write=_transposed_times(effect, found),
    )
    before = effect * _as_row(decay) + _outer(of_found, row.read)
    return tuple(gradients), before
