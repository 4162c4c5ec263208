"""The selective state-space recurrence of Mamba (Gu and Dao, 2023).

    h_t = exp(delta_t A) * h_{t-1} + B'_t x_t        (equation 2a, A diagonal)
    y_t = C_t h_t                                    (equation 2b)

A state has `(state_size, width)` numbers for each example, and those of all steps
together would fill the memory: they exist for one chunk of steps at a time. Only the
state at the beginning of each chunk is kept; the gradient computes the others again.
The width comes last, so that a sum over a channel's states adds whole vectors.
"""

import typing

from keras import ops

from kerasseq.ops import _chunks, _linear_recurrence
from kerasseq.ops._loop_strategy import current_loop_strategy
from kerasseq.ops._time_loop import time_loop

DISCRETIZATIONS = ("euler", "zoh")
# Steps of a chunk. In a loop over steps their states stay in the cache.
CHUNKS = {"sequential": 16, "chunked": 64}


class _Rows(typing.NamedTuple):
    """What a step reads: `(..., batch_size, width)` and `(..., batch_size, states)`."""

    x: typing.Any
    delta: typing.Any
    into: typing.Any
    out: typing.Any


def selective_scan(
    inputs,
    delta,
    transition,
    input_weights,
    output_weights,
    initial_state=None,
    discretization="euler",
    method="auto",
):
    """Runs a diagonal state-space model whose parameters depend on the input.

    The recurrence is computed in float32. Its gradient is written by hand and needs the
    states of one chunk of steps at a time.

    Args:
        inputs: Tensor `(batch_size, time, width)`. Where the length is not known when
            the graph is built, the loop has its automatic gradient, which keeps all
            states.
        delta: Tensor of the same shape, the positive step size of each input.
        transition: Tensor `(width, state_size)`, negative: `A`.
        input_weights: Tensor `(batch_size, time, state_size)`: `B`.
        output_weights: Tensor `(batch_size, time, state_size)`: `C`.
        initial_state: Tensor `(batch_size, state_size, width)`; zeros by default.
        discretization: How `B` becomes that of one step. `"euler"`: `delta * B`, as in
            the authors' code; `"zoh"`: `(exp(delta * A) - 1) / A * B`, the exact one of
            an input that is constant for the step (their equation 4).
        method: `"sequential"`, a loop over steps, by chunks of 16; `"chunked"`, a loop
            over chunks of 64 steps without one inside; `"auto"`, the first without a
            GPU, else the second.

    Returns:
        `(outputs, final_state)`: `(batch_size, time, width)` of the dtype of `inputs`,
        and float32 `(batch_size, state_size, width)`.

    Raises:
        ValueError: If shapes do not fit, or a name is none of the choices.

    Reference:
        Gu and Dao (2023), Mamba: Linear-Time Sequence Modeling with Selective State
        Spaces, algorithm 2.
    """
    dtype = inputs.dtype
    tensors = (inputs, delta, transition, input_weights, output_weights)
    x, delta, a, b, c = (ops.cast(tensor, "float32") for tensor in tensors)
    _check(x, delta, a, b, c, discretization)
    method = _chunks.chosen(method)
    a = ops.transpose(a)
    if initial_state is None:
        initial_state = ops.zeros((ops.shape(x)[0], *a.shape), "float32")
    state = ops.cast(initial_state, "float32")
    if tuple(state.shape[1:]) != tuple(a.shape):
        raise ValueError(
            f"`initial_state` must have the shape (batch_size, {a.shape[0]}, "
            f"{a.shape[1]}). Received: shape {tuple(state.shape)}"
        )
    rows = _Rows(*(ops.swapaxes(tensor, 0, 1) for tensor in (x, delta, b, c)))
    zoh = discretization == "zoh"
    if current_loop_strategy().kind == "train" and (x.shape[1] or 0) > 1:
        y, state = _differentiable(rows, a, state, zoh, method)
    else:
        y, state = _steps(rows, a, state, zoh)
    return ops.cast(ops.swapaxes(y, 0, 1), dtype), state


def _check(x, delta, a, b, c, discretization):
    shapes = {"inputs": x, "delta": delta, "input_weights": b, "output_weights": c}
    shapes = {name: tuple(tensor.shape) for name, tensor in shapes.items()}
    fits = len(x.shape) == 3 and len(a.shape) == 2
    if fits:
        wide, narrow = (x.shape[1], a.shape[0]), (x.shape[1], a.shape[1])
        fits = [shape[1:] for shape in shapes.values()] == [wide] * 2 + [narrow] * 2
    if not fits:
        raise ValueError(
            "`inputs` and `delta` must be (batch_size, time, width), `transition` "
            "(width, state_size), `input_weights` and `output_weights` (batch_size, "
            f"time, state_size). Received: {shapes}, transition {tuple(a.shape)}"
        )
    if x.shape[1] == 0:
        raise ValueError(
            "A sequence has at least one step. "
            f"Received: inputs of shape {shapes['inputs']}"
        )
    if discretization not in DISCRETIZATIONS:
        raise ValueError(
            f"`discretization` must be one of {DISCRETIZATIONS}. "
            f"Received: discretization={discretization!r}"
        )


def _differentiable(rows, a, state, zoh, method):
    """`(outputs, final state)`, time first, with a gradient of their own."""
    length, chunked = rows.x.shape[0], method == "chunked"
    # Steps that fill up have a delta of 0 and keep the state.
    rows = tuple(_chunks.split(x, CHUNKS[method]) for x in rows)

    def run(rows, state, a):
        return (_at_once if chunked else _steps)(_Rows(*rows), a, state, zoh)

    def back(rows, start, dy, effect, a):
        by = _back_at_once if chunked else _back_by_steps
        gradients, *others = by(_Rows(*rows), a, start, dy, effect, zoh)
        return tuple(gradients), *others

    y, end = _chunks.recurrence(run, back, rows, state, a)
    return _chunks.join(y, length), end


def _discrete(rows, a, zoh):
    """`exp(delta A)` and what the input adds, `(..., batch_size, states, width)`."""
    power = _row(rows.delta) * a
    scaled = _row(rows.x) * (ops.expm1(power) / a) if zoh else _row(rows.delta * rows.x)
    return ops.exp(power), scaled * _column(rows.into)


def _row(x):
    """Numbers of channels, the same for all their states."""
    return ops.expand_dims(x, -2)


def _column(x):
    """Numbers of states, the same for all channels."""
    return ops.expand_dims(x, -1)


def _steps(rows, a, state, zoh):
    """The outputs and the last state, in a loop over the steps."""

    def step(row, state):
        row = _Rows(*row)
        decay, added = _discrete(row, a, zoh)
        state = decay * state + added
        return ops.sum(state * _column(row.out), axis=-2), state

    return time_loop(step, tuple(rows), state)


def _at_once(rows, a, state, zoh):
    """The same with the states of all steps at once."""
    states = _doubled(*_discrete(rows, a, zoh), state)
    return ops.sum(states * _column(rows.out), axis=-2), states[-1]


def _doubled(decay, added, state):
    """All states, time first."""
    decay, added = (_chunks.rearranged(x, "tbnd->btnd") for x in (decay, added))
    states = _linear_recurrence.doubled(decay, added, state)
    return _chunks.rearranged(states, "btnd->tbnd")


def _back_by_steps(rows, a, start, dy, effect, zoh):
    """Gradients of a chunk: of its rows, of the state before it, and of `a`.

    `effect` is the gradient of the last state by what comes after the chunk.
    """

    def again(row, state):
        decay, added = _discrete(_Rows(*row), a, zoh)
        return state, decay * state + added

    before, end = time_loop(again, tuple(rows), start)

    def step(inputs, carried):
        row, before, dy = inputs
        row, (effect, after, da) = _Rows(*row), carried
        decay = ops.exp(_row(row.delta) * a)
        effect = effect + _row(dy) * _column(row.out)
        gradients, of_a = _of_a_step(row, a, before, after, decay, effect, dy, zoh)
        return gradients, (effect * decay, before, da + ops.sum(of_a, axis=0))

    inputs = (tuple(rows), before, dy)
    first = (effect, end, ops.zeros_like(a))
    gradients, (effect, _, da) = time_loop(step, inputs, first, reverse=True)
    return gradients, effect, da


def _back_at_once(rows, a, start, dy, effect, zoh):
    decay, added = _discrete(rows, a, zoh)
    after = _doubled(decay, added, start)
    before = ops.concatenate([ops.expand_dims(start, 0), after[:-1]], axis=0)
    own = _row(dy) * _column(rows.out)
    # A step's state acts on the next one's through that one's decay.
    following = ops.concatenate([decay[1:], ops.ones_like(decay[:1])], axis=0)
    effects = ops.flip(_doubled(ops.flip(following, 0), ops.flip(own, 0), effect), 0)
    gradients, of_a = _of_a_step(rows, a, before, after, decay, effects, dy, zoh)
    return gradients, effects[0] * decay[0], ops.sum(of_a, axis=(0, 1))


def _of_a_step(row, a, before, after, decay, effect, dy, zoh):
    """Gradients of rows by the `effect` of their states, and of `a` (unsummed)."""
    of_out = ops.sum(after * _row(dy), axis=-1)
    of_power = effect * before * decay
    read = effect * _column(row.into)  # of what is scaled by x and delta
    x, delta = _row(row.x), _row(row.delta)
    if zoh:
        factor = ops.expm1(delta * a) / a
        of_x = ops.sum(read * factor, axis=-2)
        of_delta = ops.sum(of_power * a + read * x * decay, axis=-2)
        of_a = of_power * delta + read * x * (delta * decay - factor) / a
        of_into = ops.sum(effect * x * factor, axis=-1)
    else:
        summed = ops.sum(read, axis=-2)
        of_x = row.delta * summed
        of_delta = ops.sum(of_power * a, axis=-2) + row.x * summed
        of_a = of_power * delta
        of_into = ops.sum(effect * (x * delta), axis=-1)
    return (of_x, of_delta, of_into, of_out), of_a
