"""The recurrence of Mamba-2 as products of matrices (Dao and Gu, 2024).

    h_t = exp(delta_t a) h_{t-1} + delta_t x_t B_t'     (equation 1, a per head)
    y_t = h_t C_t                                       (h: head_dim x state_size)

Within a chunk, step `j` adds `exp(s_i - s_j) (B_j C_i) delta_j x_j` to the output of
step `i`, where `s` are sums of `delta a` (section 6): a product of matrices. Only the
state between chunks goes through a loop. The gradient is written by hand: it keeps the
state at the beginning of each chunk and computes the matrices of a chunk again.
"""

from keras import ops

from kerasseq.ops import _chunks, _duality_chunk
from kerasseq.ops._loop_strategy import current_loop_strategy
from kerasseq.ops._time_loop import time_loop

CHUNK = 64


def state_space_duality(
    inputs, delta, transition, input_weights, output_weights, initial_state=None
):
    """Runs a state-space model with one decay for each head, by chunks of 64 steps.

    As `selective_scan` with all channels of a head decaying alike, which makes the sum
    over the steps of a chunk a product of matrices. Neither the states of all steps nor
    a matrix of all steps by all steps are in memory. All is computed in float32.
    On TensorFlow, XLA compiles its gradient, but not the gradient of that.

    Args:
        inputs: Tensor `(batch_size, time, heads, head_dim)`. Where the length is not
            known when the graph is built, the loop is over steps, and its automatic
            gradient keeps all states.
        delta: Tensor `(batch_size, time, heads)`, the positive step sizes.
        transition: Tensor `(heads,)`, negative: `A`.
        input_weights: Tensor `(batch_size, time, groups, state_size)`: `B`. Each group
            is for as many heads, those next to each other.
        output_weights: Tensor of the same shape: `C`.
        initial_state: Tensor `(batch_size, heads, head_dim, state_size)`; zeros by
            default.

    Returns:
        `(outputs, final_state)`: of the shape and dtype of `inputs`, and float32
        `(batch_size, heads, head_dim, state_size)`.

    Raises:
        ValueError: If shapes do not fit.

    Reference:
        Dao and Gu (2024), Transformers are SSMs: Generalized Models and Efficient
        Algorithms Through Structured State Space Duality, section 6 and listing 1.
    """
    dtype = inputs.dtype
    tensors = (inputs, delta, transition, input_weights, output_weights)
    x, delta, a, b, c = (ops.cast(tensor, "float32") for tensor in tensors)
    _check(x, delta, a, b, c)
    size = (x.shape[2], x.shape[3], b.shape[3])
    if initial_state is None:
        initial_state = ops.zeros((ops.shape(x)[0], *size), "float32")
    state = ops.cast(initial_state, "float32")
    if tuple(state.shape[1:]) != size:
        raise ValueError(
            f"`initial_state` must have the shape (batch_size, {size[0]}, {size[1]}, "
            f"{size[2]}). Received: shape {tuple(state.shape)}"
        )
    length = x.shape[1]
    if length in (1, None):
        rows = [ops.moveaxis(row, 1, 0) for row in (x, delta, b, c)]
        y, state = time_loop(lambda row, state: _step(*row, a, state), rows, state)
        return ops.cast(ops.moveaxis(y, 0, 1), dtype), state
    x, delta, b, c = (_split(row) for row in (x, ops.expand_dims(delta, -1), b, c))
    rows = [ops.swapaxes(x, -1, -2), ops.swapaxes(delta, -1, -2), b, c]
    y, state = _by_chunks(rows, a, state)
    y = ops.transpose(y, (1, 0, 4, 2, 3))  # (batch_size, chunks, steps, heads, ...)
    y = ops.reshape(y, (-1, y.shape[1] * y.shape[2], *size[:2]))
    return ops.cast(y[:, :length], dtype), state


def _check(x, delta, a, b, c):
    shapes = [tuple(tensor.shape) for tensor in (x, delta, a, b, c)]
    fits = [len(shape) for shape in shapes] == [4, 3, 1, 4, 4]
    if fits:
        (_, time, heads, _), groups = shapes[0], shapes[3][2]
        fits = shapes[1][1:] == (time, heads) and shapes[2] == (heads,)
        fits &= shapes[3][1:] == shapes[4][1:] and shapes[3][1] == time
        fits &= groups > 0 and heads % groups == 0
    if not fits:
        raise ValueError(
            "`inputs` must be (batch_size, time, heads, head_dim), `delta` "
            "(batch_size, time, heads), `transition` (heads,), `input_weights` and "
            "`output_weights` (batch_size, time, groups, state_size), with heads a "
            f"multiple of groups. Received: shapes {shapes}"
        )
    if x.shape[1] == 0:
        raise ValueError(
            f"A sequence has at least one step. Received: inputs of shape {shapes[0]}"
        )


def _split(x):
    """Steps as chunks: `(chunks, batch_size, heads or groups, steps, ...)`.

    Those that fill up have a delta of 0 and keep the state.
    """
    length = x.shape[1]
    chunks, steps = -(-length // CHUNK), min(CHUNK, length)
    if chunks * steps > length:
        x = ops.pad(x, [(0, 0), (0, chunks * steps - length), (0, 0), (0, 0)])
    x = ops.reshape(x, (-1, chunks, steps, *x.shape[2:]))
    return ops.transpose(x, (1, 0, 3, 2, 4))


def _step(x, delta, into, out, a, state):
    """One step, elementwise."""
    into, out = (_duality_chunk.of_heads(row, x.shape[1]) for row in (into, out))
    added = ops.expand_dims(delta, -1) * x
    decay = ops.expand_dims(ops.exp(delta * a), (-2, -1))
    state = decay * state + ops.expand_dims(added, -1) * ops.expand_dims(into, -2)
    return ops.sum(state * ops.expand_dims(out, -2), axis=-1), state


def _by_chunks(rows, a, state):
    """`(outputs, final state)`, chunks first."""

    def run(rows, state, a=a):
        return _duality_chunk.forward(rows, a, state)

    def back(rows, start, dy, effect, a):
        return _duality_chunk.backward(rows, a, start, dy, effect)

    if current_loop_strategy().kind != "train":
        return time_loop(run, rows, state)
    return _chunks.recurrence(run, back, rows, state, a)
