"""The WKV operator of RWKV-4 (Peng et al., 2023): an average of values that decays.

    y_t = (A_{t-1} + exp(u + k_t) v_t) / (B_{t-1} + exp(u + k_t))
    A_t = exp(-w) A_{t-1} + exp(k_t) v_t
    B_t = exp(-w) B_{t-1} + exp(k_t)

The sums A and B would overflow. They are kept as `(numerator, denominator, maximum)`,
both divided by the exponential of the largest exponent so far. So is the gradient,
whose sums run from the last step to the first in the same way.
"""

import numpy as np
from keras import ops

from kerasseq.ops import _chunks, _wkv_sums
from kerasseq.ops._loop_strategy import current_loop_strategy
from kerasseq.ops._manual_gradient import with_manual_gradient
from kerasseq.ops._time_loop import time_loop

CHUNK = 64


def wkv(keys, values, decay, bonus, initial_state=None, method="auto"):
    """Averages the values so far by `exp(key)`, weights that decay with the distance.

    Computed in float32. The gradient is written by hand and needs the sums of one chunk
    of 64 steps at a time.

    Args:
        keys: Tensor `(batch_size, time, width)`. Where the length is not known when the
            graph is built, the loop has its automatic gradient.
        values: Tensor of the same shape.
        decay: Tensor `(width,)`, positive: a step divides all earlier weights by its
            exponential.
        bonus: Tensor `(width,)`, added to the key of the current step.
        initial_state: List of three tensors `(batch_size, width)`: numerator,
            denominator and maximum of the exponents. A denominator of 0 stands for no
            steps; zeros by default.
        method: `"sequential"`, a loop over steps; `"chunked"`, a loop over chunks
            without one inside; `"auto"`, the first without a GPU, else the second.

    Returns:
        `(outputs, final_state)`: `(batch_size, time, width)` of the dtype of `values`,
        and a list as `initial_state`, in float32.

    Raises:
        ValueError: If shapes do not fit, or the method is none of the choices.

    Reference:
        Peng et al. (2023), RWKV: Reinventing RNNs for the Transformer Era: the WKV
        operator, and its stable form in the appendix on the RNN cell.
    """
    dtype = values.dtype
    tensors = (keys, values, decay, bonus)
    k, v, decay, bonus = (ops.cast(tensor, "float32") for tensor in tensors)
    _check(k, v, decay, bonus)
    method = _chunks.chosen(method)
    if initial_state is None:
        initial_state = [ops.zeros_like(k[:, 0])] * 3
    state = [ops.cast(x, "float32") for x in initial_state]
    shapes = [tuple(x.shape[1:]) for x in state]
    if shapes != [tuple(decay.shape)] * 3:
        raise ValueError(
            "`initial_state` must be three tensors of the shape (batch_size, "
            f"{decay.shape[0]}). Received: shapes {[tuple(x.shape) for x in state]}"
        )
    top = ops.where(state[1] > 0, state[2], _wkv_sums.NOTHING)
    state = (state[0], state[1], top)
    k, v = ops.swapaxes(k, 0, 1), ops.swapaxes(v, 0, 1)
    if current_loop_strategy().kind == "train" and (k.shape[0] or 0) > 1:
        y, state = _differentiable(k, v, decay, bonus, state, method)
    else:
        y, state = _steps(k, v, decay, bonus, state)
    return ops.cast(ops.swapaxes(y, 0, 1), dtype), list(state)


def _check(k, v, decay, bonus):
    shapes = [tuple(x.shape) for x in (k, v, decay, bonus)]
    wide, narrow = shapes[0], shapes[0][-1:]
    if len(wide) != 3 or shapes != [wide, wide, narrow, narrow]:
        raise ValueError(
            "`keys` and `values` must be (batch_size, time, width), `decay` and "
            f"`bonus` (width,). Received: shapes {shapes}"
        )
    if k.shape[1] == 0:
        raise ValueError(
            f"A sequence has at least one step. Received: keys of shape {shapes[0]}"
        )


def _steps(k, v, decay, bonus, state):
    """Outputs and last state, in a loop over the steps."""

    def step(row, state):
        k, v = row
        y, *_ = _averages(k, v, bonus, state)
        own = (v, ops.ones_like(v), k)
        return y, _wkv_sums.merged(_wkv_sums.decayed(state, decay), own)

    return time_loop(step, (k, v), state)


def _averages(k, v, bonus, before):
    """Outputs from the sums before them; denominators, exponents, own weights."""
    top = ops.maximum(before[2], bonus + k)
    past, own = ops.exp(before[2] - top), ops.exp(bonus + k - top)
    denominator = past * before[1] + own
    return (past * before[0] + own * v) / denominator, denominator, top, own


def _differentiable(k, v, decay, bonus, state, method):
    """Outputs and last state, time first, with a gradient of their own."""
    length = k.shape[0]
    size, chunks = min(CHUNK, length), -(-length // CHUNK)
    # Steps that fill up the last chunk weigh nothing and do not decay.
    live = (np.arange(chunks * size) < length).astype("float32")
    live = live.reshape(chunks, size, 1, 1)
    sums = _wkv_sums.doubled if method == "chunked" else _wkv_sums.by_steps

    def forward(arguments):
        k, v, decay, bonus, state = arguments

        def chunk(rows, start):
            k, v, live = rows
            states = sums((v, ops.ones_like(v), k), live, decay, start)
            y, *_ = _averages(k, v, bonus, _wkv_sums.before(states, start))
            return (y, start), tuple(x[-1] for x in states)

        (y, starts), end = time_loop(chunk, (k, v, _constant(live)), state)
        return [y, *end], (starts, end)

    def backward(arguments, kept, upstream):
        k, v, decay, bonus, state = arguments
        starts, end = kept
        dy, *dend = upstream

        def chunk(inputs, carried):
            return _back(inputs, carried, decay, bonus, sums)

        zero = ops.zeros_like(decay)
        first = (*_of_state(end, dend), zero, zero)
        inputs = (k, v, _constant(live), starts, dy)
        (dk, dv), carried = time_loop(chunk, inputs, first, reverse=True)
        *effect, rest, ddecay, dbonus = carried
        return [dk, dv, ddecay, dbonus, _of_initial(state, effect, rest)]

    arguments = [_chunks.split(k, CHUNK, _wkv_sums.NOTHING), _chunks.split(v, CHUNK)]
    arguments += [decay, bonus, state]
    y, *end = with_manual_gradient(forward, backward, arguments)
    return _chunks.join(y, length), end


def _constant(x):
    return ops.convert_to_tensor(x, "float32")


def _back(inputs, carried, decay, bonus, sums):
    """Gradients of a chunk's keys and values, and what its start contributes.

    The effect of A_t and B_t on the loss, by all that comes after step t, is kept as
    the sums are: two numbers and their exponent. `rest` is the gradient of the final
    maximum for constant A and B; it belongs to the largest exponent.
    """
    k, v, live, start, dy = inputs
    *effect, rest, ddecay, dbonus = carried
    before = _wkv_sums.before(sums((v, ops.ones_like(v), k), live, decay, start), start)
    y, denominator, top, own = _averages(k, v, bonus, before)
    share = dy / denominator
    rows = tuple(ops.flip(x, 0) for x in (share, -share * y, -top, live))
    effects = [ops.flip(x, 0) for x in sums(rows[:3], rows[3], decay, tuple(effect))]
    pairs = zip(effects, effect, strict=True)
    after = [ops.concatenate([x[1:], ops.expand_dims(e, 0)]) for x, e in pairs]

    reach = ops.exp(k + after[2])
    through_bonus = own * share * (v - y)
    dk = through_bonus + reach * (v * after[0] + after[1])
    dv = own * share + reach * after[0]
    link = live * ops.exp(before[2] - live * decay + after[2])
    of_decay = link * (before[0] * after[0] + before[1] * after[1])
    of_keys, of_rest, rest = _of_maximum(k, live, decay, start, rest)
    ddecay = ddecay - ops.sum(of_decay, axis=(0, 1)) - ops.sum(of_rest, axis=0)
    dbonus = dbonus + ops.sum(through_bonus, axis=(0, 1))
    return (dk + of_keys, dv), (*(x[0] for x in effects), rest, ddecay, dbonus)


def _of_maximum(k, live, decay, start, rest):
    """Gradients of a chunk's last maximum: of keys, decay, and that at its start."""
    elapsed = ops.cumsum(live, axis=0)
    since = ops.concatenate([elapsed[-1:], elapsed[-1:] - elapsed])
    exponents = ops.concatenate([ops.expand_dims(start[2], 0), k]) - since * decay
    # Indices are compared, not exponents: XLA may compute those twice, differently.
    largest = ops.cast(ops.argmax(exponents, axis=0), "int32")
    places = np.arange(k.shape[0] + 1, dtype="int32")[:, None, None]
    rest = rest * ops.cast(ops.equal(places, largest), "float32")
    return rest[1:], ops.sum(rest * since, axis=0), rest[0]


def _of_state(state, upstream):
    """The effect of A and B by `(numerator, denominator, maximum)`, and the rest."""
    inner = state[0] * upstream[0] + state[1] * upstream[1]
    return upstream[0], upstream[1], -state[2], upstream[2] - inner


def _of_initial(state, effect, rest):
    scale = ops.exp(state[2] + effect[2])
    first, second = scale * effect[0], scale * effect[1]
    return first, second, state[0] * first + state[1] * second + rest
