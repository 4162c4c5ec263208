"""Compares the decoder's gradients by hand with JAX's own of its loop; a child."""

import jax
import jax.numpy as jnp
import keras
import numpy as np

from kerasseq import layers
from kerasseq.layers import decoder_loops

SHAPES = [(2, 3, 3), (2, 5, 4)]
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], bool)
CASES = [("lstm", "general", True, 2), ("gru", "additive", True, 1)]
CASES += [("simple_rnn", "dot", True, 2), ("gru", "additive", False, 2)]


def make(cell, attention, input_feeding, num_layers):
    keras.utils.set_random_seed(1)
    decoder = layers.AttentionDecoder(
        4,
        num_layers=num_layers,
        cell=cell,
        attention=attention,
        input_feeding=input_feeding,
        residual=num_layers > 1,
        return_attention=True,
    )
    generator = np.random.default_rng(0)
    given = [jnp.asarray(generator.normal(size=s), "float32") for s in SHAPES]
    decoder(*given)
    weights = [v.value for v in decoder.trainable_variables]
    rest = [v.value for v in decoder.non_trainable_variables]

    def loss(inputs, memory, *weights):
        call = decoder.stateless_call
        outputs, _ = call(weights, rest, inputs, memory, memory_mask=MASK)
        joined = jnp.concatenate(outputs, axis=-1)
        return jnp.sum(jnp.cos(jnp.arange(joined.shape[-1])) * joined**2)

    return loss, given + weights


def derivatives(loss, given):
    """The gradients, and the derivative along the arguments themselves."""
    gradients = jax.jit(jax.grad(loss, range(len(given))))(*given)
    along = jax.jit(lambda *x: jax.jvp(loss, x, x)[1])(*given)
    return [*gradients, along]


def equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


BY_HAND, AT_ONCE = decoder_loops.by_hand, decoder_loops.at_once
for case in CASES:
    results = []
    for by_hand in (True, False):
        decoder_loops.by_hand = BY_HAND if by_hand else lambda *arguments: None
        decoder_loops.at_once = AT_ONCE if by_hand else decoder_loops.step_by_step
        results.append(derivatives(*make(*case)))
    equal(*results)
print("equal")
