"""Compares the gradients by hand with JAX's own, both orders, forward too; a child."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np

from kerasseq import ops

jax.config.update("jax_enable_x64", True)
DROPPED = np.array([[0.0, 2.0], [2.0, 0.5]])
MASK = np.array([[1, 1, 1, 0], [0, 1, 1, 1]], bool)
KINDS = {
    "lstm": (ops.lstm, 4, 2, {}),
    "gru": (ops.gru, 3, 1, {}),
    "gru_reset_before": (ops.gru, 3, 1, {"reset_after": False}),
    "simple_rnn": (ops.simple_rnn, 1, 1, {}),
}


def arguments(kind):
    _, gates, num_states, _ = KINDS[kind]
    bias = (2, gates * 2) if kind == "gru" else (gates * 2,)
    shapes = [(2, 4, 3), *[(2, 2)] * num_states, (3, gates * 2), (2, gates * 2), bias]
    generator = np.random.default_rng(0)
    return [jnp.asarray(generator.normal(size=shape)) for shape in shapes]


def loss(kind, unroll):
    function, _, num_states, options = KINDS[kind]

    def compute(x, *rest):
        states, weights = list(rest[:num_states]), rest[num_states:]
        options_here = options | {"mask": MASK, "go_backwards": True, "unroll": unroll}
        options_here["recurrent_mask"] = DROPPED
        outputs, states = function(x, states, *weights, **options_here)
        values = jnp.concatenate([jnp.ravel(v) for v in (outputs, *states)])
        return jnp.sum(values * jnp.cos(jnp.arange(values.size)))

    return compute


def norm(kind, unroll):
    def compute(*given):
        gradients = jax.grad(loss(kind, unroll), range(len(given)))(*given)
        return sum(jnp.sum(g**2) for g in gradients)

    return compute


@contextlib.contextmanager
def as_on_a_gpu():
    """Loops run several steps in an iteration; what runs them is a CPU."""
    backend = jax.default_backend
    jax.default_backend = lambda: "gpu"
    try:
        yield
    finally:
        jax.default_backend = backend


for kind in KINDS:
    given = arguments(kind)
    for make in (loss, norm):
        gradient = jax.grad(make(kind, False), range(len(given)))
        found = jax.jit(gradient)(*given)
        expected = jax.jit(jax.grad(make(kind, True), range(len(given))))(*given)
        with as_on_a_gpu():
            compiled = jax.jit(lambda *x, f=gradient: f(*x)).lower(*given)
            assert "while" not in compiled.as_text()  # of four steps
            on_a_gpu = compiled.compile()(*given)
        for a, b, c in zip(found, expected, on_a_gpu, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(a, c, rtol=1e-6, atol=1e-6)
    for compute in (
        loss,
        lambda *key: jax.grad(loss(*key)),
    ):
        found, expected = (
            jax.jvp(compute(kind, unroll), given, given)[1] for unroll in (False, True)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def sum_of_states(compute):
    def loss(*given):
        states, final = compute(*given)
        return jnp.sum(states * jnp.cos(states)) + jnp.sum(final**2)

    return loss


def plain(decay, inputs, state, reverse):
    def step(state, row):
        state = row[0] * state + row[1]
        return state, state

    rows = jnp.swapaxes(decay, 0, 1), jnp.swapaxes(inputs, 0, 1)
    final, states = jax.lax.scan(step, state, rows, reverse=reverse)
    return jnp.swapaxes(states, 0, 1), final


generator = np.random.default_rng(0)
given = [generator.uniform(-1, 1, shape) for shape in [(2, 70, 3)] * 2 + [(2, 3)]]
for reverse in (False, True):
    expected = jax.grad(sum_of_states(lambda *x, r=reverse: plain(*x, r)), range(3))(
        *given
    )
    for method in ("auto", "sequential", "doubling", "chunked"):
        options = {"method": method, "reverse": reverse}
        loss = sum_of_states(lambda *x, o=options: ops.linear_recurrence(*x, **o))
        found = jax.jit(jax.grad(loss, range(3)))(*given)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)
print("equal")
