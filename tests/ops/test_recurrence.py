import numpy as np
import pytest
import reference

from kerasseq import ops

UNITS, FEATURES, TIME = 4, 3, 5
GATES = {"simple_rnn": 1, "lstm": 4, "gru": 3}
MASKS = {
    "none": None,
    "right": [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]],
    "left": [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]],
    "holes": [[1, 0, 1, 0, 1], [0, 1, 0, 1, 0]],
    "empty": [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1]],
}


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def step_of(cell, kernel, bias):
    if cell == "simple_rnn":
        return lambda x, s: ops.simple_rnn_step(x, s, kernel)
    if cell == "lstm":
        return lambda x, s: ops.lstm_step(x, s, kernel)
    return lambda x, s: ops.gru_step(x, s, kernel, recurrent_bias=bias)


@pytest.mark.parametrize("zero_masked", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("cell", GATES)
def test_equals_numpy(cell, mask, go_backwards, zero_masked):
    gates = GATES[cell] * UNITS
    W, R, b = random(FEATURES, gates), random(UNITS, gates), random(2, gates)
    x = random(2, TIME, FEATURES)
    states = [random(2, UNITS), random(2, UNITS + 0) * 0.5][
        : 2 if cell == "lstm" else 1
    ]
    mask = None if MASKS[mask] is None else np.array(MASKS[mask], bool)
    outputs, new = ops.recurrence(
        step_of(cell, R, b[1]),
        x @ W + b[0],
        states,
        mask=mask,
        go_backwards=go_backwards,
        zero_output_for_mask=zero_masked,
    )
    weights = (W, R, b) if cell == "gru" else (W, R, b[0])
    expected, expected_new = reference.run(
        reference.CELLS[cell], x, states, weights, mask, go_backwards, zero_masked
    )
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    for found, wanted in zip(new, expected_new, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_last_output_alone_is_the_last_of_all():
    kernel, x = random(UNITS, UNITS), random(2, TIME, UNITS)
    mask = np.array(MASKS["right"], bool)
    arguments = (step_of("simple_rnn", kernel, None), x, [random(2, UNITS)], mask)
    every, _ = ops.recurrence(*arguments)
    last, _ = ops.recurrence(*arguments, return_sequences=False)
    np.testing.assert_allclose(last, every[:, -1])


def test_reset_before_equals_numpy():
    W, R = random(FEATURES, 3 * UNITS), random(UNITS, 3 * UNITS)
    x, h = random(2, TIME, FEATURES), [random(2, UNITS)]
    outputs, _ = ops.recurrence(
        lambda x, s: ops.gru_step(x, s, R, reset_after=False), x @ W, h
    )
    expected, _ = reference.run(reference.gru_reset_before_cell, x, h, (W, R))
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_a_recurrent_dropout_mask_acts_on_the_state_inside_the_gates():
    mask = np.array([[0.0, 2.0, 0.0, 2.0]], "float32")
    h, kernel = random(1, UNITS), random(UNITS, 4 * UNITS)
    dropped, _ = ops.lstm_step(
        np.zeros((1, 16), "float32"), [h, h], kernel, recurrent_mask=mask
    )
    expected, _ = ops.lstm_step(np.zeros((1, 16), "float32"), [h * mask, h], kernel)
    np.testing.assert_allclose(dropped, expected)
