"""The diagonal state-space model S4D (Gu et al., 2022), of real numbers.

    h_t = A' h_{t-1} + B' x_t        y_t = 2 Re(C h_t)

Its parameters are the same at all steps. So the outputs of a chunk are those of its own
inputs, by a convolution with the kernel `K_l = 2 Re(C A'^l B')` (equation 4), and those
of the state before it; only that state goes through a loop. A complex number is a pair
of real ones throughout: half of all have the conjugates of the others as their states.
"""

from keras import ops

from kerasseq.ops._loop_strategy import current_loop_strategy
from kerasseq.ops._time_loop import time_loop

DISCRETIZATIONS = ("zoh", "bilinear")
CHUNK = 64
# An exported file holds a chunk's matrices, which are constants there.
EXPORTED_CHUNK = 16


def diagonal_state_space(
    inputs,
    delta,
    transition,
    output_weights,
    initial_state=None,
    discretization="zoh",
):
    """Runs a diagonal state-space model with complex states for each channel.

    With `B = 1`: the model depends on its product with `C` alone. It is computed in
    float32, by chunks of 64 steps, of 16 in an exported file; a state is kept for each
    chunk, not for each step.

    Args:
        inputs: Tensor `(batch_size, time, width)`. Where the length is not known when
            the graph is built, each step is a chunk.
        delta: Tensor `(width,)`, the positive step size of each channel.
        transition: Tensor `(2, width, pairs)`, the real and imaginary parts of `A`, the
            real ones negative.
        output_weights: Tensor of the same shape: `C`.
        initial_state: Tensor `(batch_size, width, 2 * pairs)`, the real parts of the
            states, then the imaginary ones; zeros by default.
        discretization: How `A` and `B` become those of one step: `"zoh"`, exact for an
            input that is constant for the step, or `"bilinear"`, the trapezoid rule
            (equation 3).

    Returns:
        `(outputs, final_state)`: of the shape and dtype of `inputs`, and float32
        `(batch_size, width, 2 * pairs)`.

    Raises:
        ValueError: If shapes do not fit, or the discretization is none of the two.

    Reference:
        Gu et al. (2022), On the Parameterization and Initialization of Diagonal State
        Space Models, sections 2.1 and 3.
    """
    dtype = inputs.dtype
    tensors = (inputs, delta, transition, output_weights)
    x, delta, a, c = (ops.cast(tensor, "float32") for tensor in tensors)
    _check(x, delta, a, c, discretization)
    size = (a.shape[1], 2 * a.shape[2])
    if initial_state is None:
        initial_state = ops.zeros((ops.shape(x)[0], *size), "float32")
    state = ops.cast(initial_state, "float32")
    if tuple(state.shape[1:]) != size:
        raise ValueError(
            f"`initial_state` must have the shape (batch_size, {size[0]}, {size[1]}). "
            f"Received: shape {tuple(state.shape)}"
        )
    discrete = _trapezoid if discretization == "bilinear" else _held
    a, b = discrete(ops.unstack(a, 2), ops.expand_dims(delta, -1))
    model, state = (a, b, ops.unstack(2 * c, 2)), ops.swapaxes(state, 0, 1)
    parts = []
    for part, steps in _parts(x):
        y, state = _by_chunks(part, model, state, steps)
        parts.append(y)
    y = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=1)
    return ops.cast(y, dtype), ops.swapaxes(state, 0, 1)


def _check(x, delta, a, c, discretization):
    shapes = [tuple(tensor.shape) for tensor in (x, delta, a, c)]
    fits = [len(shape) for shape in shapes] == [3, 1, 3, 3] and shapes[2] == shapes[3]
    if not fits or shapes[2][:2] != (2, x.shape[2]) or shapes[1] != (x.shape[2],):
        raise ValueError(
            "`inputs` must be (batch_size, time, width), `delta` (width,), "
            "`transition` and `output_weights` (2, width, pairs). "
            f"Received: shapes {shapes}"
        )
    if x.shape[1] == 0:
        raise ValueError(
            f"A sequence has at least one step. Received: inputs of shape {shapes[0]}"
        )
    if discretization not in DISCRETIZATIONS:
        raise ValueError(
            f"`discretization` must be one of {DISCRETIZATIONS}. "
            f"Received: discretization={discretization!r}"
        )


def _parts(x):
    """Parts of a sequence with the length of their chunks: full ones, and the rest."""
    length = x.shape[1]
    if length is None:
        return [(x, 1)]
    trains = current_loop_strategy().kind == "train"
    steps = CHUNK if trains else EXPORTED_CHUNK
    rest = length % steps
    parts = [(x[:, : length - rest], steps), (x[:, length - rest :], rest)]
    return [part for part in parts if part[0].shape[1]]


def _held(a, delta):
    """`exp(delta A)` and `(exp(delta A) - 1) / A`."""
    real, imaginary = delta * a[0], delta * a[1]
    size, cos, sin = ops.exp(real), ops.cos(imaginary), ops.sin(imaginary)
    # Of short steps little is left of exp(delta A) - 1 if 1 is subtracted at last.
    less = ops.expm1(real) * cos - 2 * ops.square(ops.sin(imaginary / 2))
    return (size * cos, size * sin), _times((less, size * sin), _inverse(a))


def _trapezoid(a, delta):
    """`(1 + delta A / 2) / (1 - delta A / 2)` and `delta / (1 - delta A / 2)`."""
    real, imaginary = delta * a[0] / 2, delta * a[1] / 2
    inverse = _inverse((1 - real, -imaginary))
    power = _times((1 + real, imaginary), inverse)
    return power, (delta * inverse[0], delta * inverse[1])


def _by_chunks(x, model, state, steps):
    """The outputs, and the last state `(width, batch_size, 2 * pairs)`."""
    width, chunks = x.shape[2], ops.shape(x)[1] // steps
    kernel, out, into, power = _matrices(*model, steps)
    x = ops.reshape(x, (-1, chunks, steps, width))
    x = ops.transpose(x, (3, 1, 0, 2))  # (width, chunks, batch_size, steps)
    x = ops.reshape(x, (width, -1, steps))
    added = ops.reshape(_product(x, into), (width, chunks, -1, into.shape[-1]))

    def chunk(added, state):
        halves = ops.split(state, 2, axis=-1)
        return state, ops.concatenate(_times(halves, power), axis=-1) + added

    starts, state = time_loop(chunk, ops.moveaxis(added, 1, 0), state)
    starts = ops.reshape(ops.moveaxis(starts, 0, 1), (width, -1, out.shape[1]))
    y = _product(x, kernel) + _product(starts, out)
    y = ops.reshape(y, (width, chunks, -1, steps))
    y = ops.transpose(y, (2, 1, 3, 0))  # (batch_size, chunks, steps, width)
    return ops.reshape(y, (-1, chunks * steps, width)), state


def _matrices(a, b, c, steps):
    """What a chunk is multiplied by.

    Returns:
        `(kernel, out, into, power)`: from inputs to outputs `(width, steps, steps)`,
        from the state before to outputs `(width, 2 * pairs, steps)`, from inputs to the
        state after `(width, steps, 2 * pairs)`, and the pair `A' ** steps`.
    """
    powers = _powers(a, steps)  # (width, pairs, steps + 1)
    b, c = ([ops.expand_dims(x, -1) for x in pair] for pair in (b, c))
    earlier = [x[..., :-1] for x in powers]
    real, _ = _times(_times(b, c), earlier)
    after = _times(c, [x[..., 1:] for x in powers])
    out = ops.concatenate([after[0], -after[1]], axis=1)
    into = ops.flip(ops.concatenate(_times(b, earlier), axis=1), -1)
    power = [ops.expand_dims(x[..., -1], 1) for x in powers]
    return _toeplitz(ops.sum(real, axis=1)), out, ops.swapaxes(into, 1, 2), power


def _powers(a, count):
    """The powers of `a` from 0 to `count`, on a last axis, in `log2(count)` passes."""
    a = [ops.expand_dims(x, -1) for x in a]
    found = [ops.ones_like(a[0]), ops.zeros_like(a[0])]
    while found[0].shape[-1] <= count:
        pairs = zip(found, _times(found, a), strict=True)
        found = [ops.concatenate(pair, axis=-1) for pair in pairs]
        a = _times(a, a)
    return [x[..., : count + 1] for x in found]


def _toeplitz(kernel):
    """The matrix with `kernel[:, j - i]` in row i and column j, above zeros."""
    width, steps = kernel.shape
    # A row that is one entry too long begins one place later each time it is repeated.
    row = ops.concatenate([kernel, ops.zeros_like(kernel)], axis=1)
    rows = ops.tile(row, (1, steps))[:, : steps * (2 * steps - 1)]
    return ops.reshape(rows, (width, steps, 2 * steps - 1))[..., :steps]


def _product(x, matrix):
    """One for each channel; of a single step elementwise, not as tiny products."""
    if x.shape[-1] == 1:
        return x * matrix
    if matrix.shape[-1] == 1:
        return ops.sum(x * ops.swapaxes(matrix, 1, 2), axis=-1, keepdims=True)
    return ops.matmul(x, matrix)


def _times(a, b):
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _inverse(a):
    size = ops.square(a[0]) + ops.square(a[1])
    return a[0] / size, -a[1] / size
