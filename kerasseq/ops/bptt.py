"""Hand-written backpropagation through time (Werbos, 1990).

The automatic gradient of a `while_loop` saves all intermediate values and adds up the
weight gradients step by step in the backward loop. Here the backward loop propagates
only the gradients of the states and collects those of the gates, and the gradient of
each weight is one large matrix product after the loop.
"""

import typing

import keras
from keras import ops

from kerasseq.ops._loop_strategy import current_loop_strategy
from kerasseq.ops._manual_gradient import with_manual_gradient
from kerasseq.ops._time_loop import time_loop

_HALF = ("float16", "bfloat16")


class Hidden(typing.NamedTuple):
    """Hidden states: before a step, the same after dropout, and after the step."""

    before: typing.Any
    seen: typing.Any
    after: typing.Any


class Cell(typing.NamedTuple):
    """A recurrent cell and its gradient.

    Attributes:
        forward: `(x, seen, states, weights) -> (states, saved)` of one step. `x` is the
            projected input, `seen` the hidden state after recurrent dropout, `saved` a
            tuple of other values that `backward` needs. All have shape
            `(batch_size, ...)`.
        backward: `(saved, hidden, gradients of the states, transposed weights) ->
            (collected, gradient of seen, gradients of the previous states)` of one
            step, the last without the gradient through `seen`. `hidden` is a `Hidden`.
        projected: `collected -> gradient of x`, of one step or of all.
        gradients: `(seen, saved, collected) -> gradients of the weights` of all steps,
            of shape `(time, batch_size, ...)`. Unused weights come last.
    """

    forward: typing.Callable
    backward: typing.Callable
    projected: typing.Callable
    gradients: typing.Callable


def run(
    cell,
    sequences,
    kernel,
    initial_states,
    weights,
    mask=None,
    recurrent_mask=None,
    reverse=False,
):
    """Runs a cell over time-major sequences.

    With inputs in half precision the states and the sums over time are float32. The
    gradient consists of differentiable ops, so that second-order gradients work.

    Args:
        cell: A `Cell`.
        sequences: Tensor of shape `(time, batch_size, features)`.
        kernel: Tensor of shape `(features, gates * units)`, the input projection.
        initial_states: List of tensors of shape `(batch_size, units)`, the hidden state
            first.
        weights: List of tensors.
        mask: Optional boolean tensor of shape `(time, batch_size, 1)`. Steps that are
            `False` keep the states.
        recurrent_mask: Optional tensor of shape `(batch_size, units)`, dropout mask on
            the hidden state that enters a step.
        reverse: Boolean, whether to run from the last step to the first.

    Returns:
        `(hidden, states)`: the hidden states after each step, of shape `(time,
        batch_size, units)` in the order of the inputs, and the final states.
    """
    options = {"mask": mask, "dropped": recurrent_mask}
    options = {name: x for name, x in options.items() if x is not None}
    options = {name: ops.cast(x, kernel.dtype) for name, x in options.items()}
    # Tensors without a gradient are arguments too: JAX does not differentiate closures.
    arguments = [sequences, kernel, list(initial_states), list(weights), options]

    def forward(arguments):
        hidden, final, tape = _forward(cell, arguments, reverse)
        inputs = [arguments[0], *arguments[2]]
        outputs = zip([hidden, *final], inputs, strict=True)
        return [ops.cast(x, like.dtype) for x, like in outputs], tape

    def backward(arguments, tape, upstream):
        gradients = _backward(cell, arguments, tape, upstream, reverse)
        return [*gradients, keras.tree.map_structure(ops.zeros_like, arguments[-1])]

    hidden, *final = with_manual_gradient(forward, backward, arguments)
    return hidden, final


def wanted(cells, tensors):
    """Whether the gradient is written by hand.

    It is for training, there must be one for each cell (`None` stands for a cell
    without), and it has no tangents, which `jax.jvp` wants.
    """
    by_hand = None not in cells and current_loop_strategy().kind == "train"
    return by_hand and not _forward_mode(tensors)


def _forward_mode(tensors):
    if keras.backend.backend() != "jax":
        return False
    from jax.interpreters import ad

    return any(isinstance(ops.convert_to_tensor(x), ad.JVPTracer) for x in tensors)


def dtype_of_states(dtype):
    """That of states and sums over time: float32 where the inputs have half of it."""
    return "float32" if dtype in _HALF else dtype


def product(x, matrix):
    """`x @ matrix`, computed in the dtype of the matrix and returned in that of `x`."""
    return ops.cast(ops.matmul(ops.cast(x, matrix.dtype), matrix), x.dtype)


def kernel_gradient(inputs, outputs):
    """The gradient of `W` in `outputs = inputs @ W`, summed over time and batch."""
    # Both (time * batch_size, features).
    inputs, outputs = (ops.reshape(x, (-1, x.shape[-1])) for x in (inputs, outputs))
    return ops.matmul(ops.transpose(inputs), outputs)


def bias_gradient(outputs):
    """The gradient of a bias of `outputs`, summed over time and batch."""
    return ops.sum(outputs, axis=(0, 1))


def states_before(states, initial, reverse=False):
    """The state that each step started from, from those after each step."""
    initial = ops.expand_dims(initial, 0)
    if reverse:
        return ops.concatenate([states[1:], initial], axis=0)
    return ops.concatenate([initial, states[:-1]], axis=0)


def _forward(cell, arguments, reverse):
    sequences, kernel, initial_states, weights, options = arguments
    projected = ops.matmul(sequences, kernel)
    dtype = dtype_of_states(projected.dtype)
    options = {name: ops.cast(x, dtype) for name, x in options.items()}
    initial_states = [ops.cast(state, dtype) for state in initial_states]

    def step(inputs, states):
        seen = _drop(states[0], options)
        x = ops.cast(inputs["x"], dtype)
        new, saved = cell.forward(x, seen, states, weights)
        if "mask" in inputs:
            new = _choose(inputs["mask"], new, states)
        return (new[0], saved), new

    inputs = {"x": projected} | _sequences(options)
    (hidden, saved), final = time_loop(
        step, inputs, initial_states, reverse=reverse, short_steps=True
    )
    earlier = states_before(hidden, initial_states[0], reverse)
    hidden_states = Hidden(earlier, _drop(earlier, options), hidden)
    tape = {"options": options, "hidden": list(hidden_states), "saved": saved}
    return hidden, final, tape


def _backward(cell, arguments, tape, upstream, reverse):
    sequences, kernel, _, weights, _ = arguments
    options, hidden = tape["options"], Hidden(*tape["hidden"])
    # Outside the loop, since XLA is slow at products with a transposed matrix.
    transposed = [ops.transpose(weight) for weight in weights]
    upstream = [ops.cast(x, hidden.after.dtype) for x in upstream]

    def step(inputs, states):
        states = [states[0] + inputs["upstream"], *states[1:]]
        if "mask" not in inputs:
            live = states
        else:
            live = [ops.where(inputs["mask"] > 0, x, 0.0) for x in states]
        collected, seen, before = cell.backward(
            inputs["saved"], Hidden(*inputs["hidden"]), live, transposed
        )
        before = [before[0] + _drop(seen, options), *before[1:]]
        if "mask" in inputs:
            before = _choose(inputs["mask"], before, states)
        return collected, before

    inputs = {"saved": tape["saved"], "hidden": tape["hidden"]}
    inputs |= {"upstream": upstream[0]} | _sequences(options)
    collected, initial = time_loop(
        step, inputs, upstream[1:], reverse=not reverse, short_steps=True
    )
    projected = cell.projected(collected)
    of_weights = cell.gradients(hidden.seen, tape["saved"], collected)
    of_sequences = product(projected, ops.transpose(kernel))
    of_kernel = kernel_gradient(ops.cast(sequences, projected.dtype), projected)
    return [of_sequences, of_kernel, *initial, *of_weights[: len(weights)]]


def _drop(hidden, options):
    return hidden * options["dropped"] if "dropped" in options else hidden


def _sequences(options):
    return {"mask": options["mask"]} if "mask" in options else {}


def _choose(mask, new, old):
    return [ops.where(mask > 0, *pair) for pair in zip(new, old, strict=True)]
