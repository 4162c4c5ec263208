"""The decoder's gradients by hand: against its own step, and against differences."""

import itertools
import pathlib

import jax_process
import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseq import layers
from kerasseq.layers import decoder_loops

BATCH, TIME, LENGTH, FEATURES, UNITS = 3, 4, 5, 3, 4
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 1, 0]], bool)
STACKS = ((1, False), (2, False), (2, True))  # layers, residual
CROSSED = itertools.product(
    ("lstm", "gru", "gru_reset_before", "simple_rnn"),
    ("additive", "dot", "general"),
    (True, False),
    STACKS,
)
OPTIONS = [  # `make test` takes every fifth, in which all values occur
    pytest.param(
        *options,
        id="-".join(map(str, (*options[:3], *options[3]))),
        marks=[pytest.mark.slow] * (index % 5 > 0),
    )
    for index, options in enumerate(CROSSED)
]


def make(cell, attention, input_feeding, stack, dropout=0.0, dtype="float64"):
    more = {"reset_after": False} if cell == "gru_reset_before" else {}
    decoder = layers.AttentionDecoder(
        UNITS,
        output_dim=5,
        num_layers=stack[0],
        cell=cell.removesuffix("_reset_before"),
        attention=attention,
        input_feeding=input_feeding,
        residual=stack[1],
        dropout=dropout,
        return_attention=True,
        dtype=dtype,
        seed=1,
        **more,
    )
    generator = np.random.default_rng(0)
    kinds = stack[0] * (2 if cell == "lstm" else 1)
    shapes = [(BATCH, TIME, FEATURES), (BATCH, LENGTH, UNITS)]
    shapes += [(BATCH, UNITS)] * kinds
    of_inputs = "float64" if dtype == "float64" else "float32"
    given = [tf.constant(generator.normal(size=shape), of_inputs) for shape in shapes]
    decoder(*given[:2])
    for weight in decoder.trainable_variables:
        weight.assign(generator.normal(0, 0.4, weight.shape))
    return decoder, given


def loss(decoder, given, training=False):
    inputs, memory, *states = given
    outputs, weights = decoder(inputs, memory, states, MASK, training=training)
    joined = tf.concat([outputs, weights], -1)
    return tf.reduce_sum(tf.cos(tf.range(10, dtype=joined.dtype)) * joined**2)


def gradients(decoder, given, training=False):
    variables = [variable.value for variable in decoder.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = loss(decoder, given, training)
    return [value, *tape.gradient(value, given + variables)]


@pytest.fixture
def plain(monkeypatch):
    """Makes all decoders loop over their own step, with an automatic gradient."""

    def switch():
        monkeypatch.setattr(decoder_loops, "by_hand", lambda *arguments: None)
        monkeypatch.setattr(decoder_loops, "at_once", decoder_loops.step_by_step)

    return switch


@pytest.mark.parametrize("cell, attention, input_feeding, stack", OPTIONS)
def test_equal_differences_and_the_loop(cell, attention, input_feeding, stack, plain):
    decoder, given = make(cell, attention, input_feeding, stack)
    found = gradients(decoder, given)
    tensors = given + [variable.value for variable in decoder.trainable_variables]
    generator = np.random.default_rng(1)
    directions = [generator.normal(size=x.shape) for x in tensors]
    starts, sides = [x.numpy() for x in tensors], []
    for step in (1e-6, -1e-6):
        moved = [a + step * d for a, d in zip(starts, directions, strict=True)]
        for weight, value in zip(
            decoder.trainable_variables, moved[len(given) :], strict=True
        ):
            weight.assign(value)
        sides.append(loss(decoder, [tf.constant(x) for x in moved[: len(given)]]))
    slope = sum(np.sum(g * d) for g, d in zip(found[1:], directions, strict=True))
    np.testing.assert_allclose(slope, (sides[0] - sides[1]) / 2e-6, rtol=1e-5)
    for weight, value in zip(
        decoder.trainable_variables, starts[len(given) :], strict=True
    ):
        weight.assign(value)
    plain()
    for by_hand, of_loop in zip(found, gradients(decoder, given), strict=True):
        np.testing.assert_allclose(by_hand, of_loop, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("input_feeding", [True, False])
@pytest.mark.parametrize("attention", ["additive", "general"])
def test_dropout_between_layers(attention, input_feeding, plain, monkeypatch):
    masks = np.random.default_rng(2).integers(0, 2, (BATCH, UNITS)) * 2.0
    monkeypatch.setattr(
        layers.AttentionDecoder, "_dropout_masks", lambda *_: [tf.constant(masks)]
    )
    options = ("gru", attention, input_feeding, (2, True))
    decoder, given = make(*options)
    found = gradients(decoder, given, training=True)
    plain()
    for by_hand, of_loop in zip(
        found, gradients(decoder, given, training=True), strict=True
    ):
        np.testing.assert_allclose(by_hand, of_loop, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("attention", ["additive", "general"])
def test_second_order(attention, plain):
    decoder, given = make("lstm", attention, True, (2, False))

    def second(decoder):
        with tf.GradientTape() as tape:
            tape.watch(given)
            first = gradients(decoder, given)[1:]
            total = sum(tf.reduce_sum(g * g) for g in first)
        return tape.gradient(total, given)

    found = second(decoder)
    plain()
    for by_hand, of_loop in zip(found, second(decoder), strict=True):
        np.testing.assert_allclose(by_hand, of_loop, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("attention", ["additive", "general"])
@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("input_feeding", [True, False])
def test_half_precision_is_near(dtype, attention, input_feeding):
    options = ("gru", attention, input_feeding, (2, False))
    exact = gradients(*make(*options, dtype="float32"))
    decoder, given = make(*options, dtype=dtype)
    for near, value in zip(gradients(decoder, given), exact, strict=True):
        near, value = np.asarray(near, "float32"), np.asarray(value)
        assert np.abs(near - value).max() < 0.1 * np.abs(value).max() + 0.02


def test_other_activations_and_cells_take_the_loop():
    inputs = np.zeros((2, 3, 4), "float32")
    for cell, options in (
        ("lstm", {"activation": "relu"}),
        ("layer_norm_lstm", {}),
        ("gru", {}),
    ):
        decoder = layers.AttentionDecoder(4, cell=cell, **options)
        decoder(inputs, inputs)
        context, states = decoder.start(inputs)
        arguments = (decoder, inputs, states, context, None, False)
        by_hand = decoder_loops.by_hand(*arguments)
        assert (by_hand is not None) == (cell == "gru")


def test_the_outputs_of_inference_are_of_any_length():
    model_inputs = [keras.Input((None, FEATURES)), keras.Input((None, UNITS))]
    decoder = layers.AttentionDecoder(UNITS, cell="gru")
    model = keras.Model(model_inputs, decoder(*model_inputs))
    for length in (1, 2, 7):
        source = np.ones((2, length, UNITS), "float32")
        shape = model.predict([source[..., :FEATURES], source], verbose=0).shape
        assert shape == (2, length, UNITS)


@pytest.mark.slow
def test_equal_those_of_jax():
    result = jax_process.run(pathlib.Path(__file__).parent / "jax_decoder.py")
    assert result.returncode == 0, result.stderr
    assert "equal" in result.stdout
