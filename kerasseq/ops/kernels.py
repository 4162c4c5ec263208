"""The recurrent cells of Keras with their gradients, for `bptt`.

The equations and letters are those of `cells`. `d_x` is the gradient of `x`. The
weights are the recurrent kernel (without `reset_after` split into that of the gates and
that of the candidate) and the bias, if there is one (with `reset_after` the input bias,
then the recurrent one). The bias is added inside the loop, which saves a pass over the
sequence.
"""

import keras
from keras import ops

from kerasseq.ops import bptt

TANH = (ops.tanh, keras.activations.tanh)
SIGMOID = (ops.sigmoid, keras.activations.sigmoid)
RELU = (ops.relu, keras.activations.relu)


def lstm(activation, recurrent_activation):
    """The `bptt.Cell` of an LSTM; `None` unless activations are tanh and sigmoid."""
    usual = activation in TANH and recurrent_activation in SIGMOID
    return _LSTM if usual else None


def gru(activation, recurrent_activation, reset_after):
    """The `bptt.Cell` of a GRU; `None` unless activations are tanh and sigmoid."""
    usual = activation in TANH and recurrent_activation in SIGMOID
    return (_GRU if reset_after else _RESET_BEFORE) if usual else None


def gru_kernels(recurrent_kernel, reset_after):
    """The recurrent kernel as a list, as the `bptt.Cell` of a GRU takes it."""
    if reset_after:
        return [recurrent_kernel]
    gates = 2 * recurrent_kernel.shape[0]
    return [recurrent_kernel[:, :gates], recurrent_kernel[:, gates:]]


def simple_rnn(activation):
    """The `bptt.Cell` of a SimpleRNN; `None` unless the activation is tanh or relu."""
    if activation in TANH:
        return _TANH_RNN
    return _RELU_RNN if activation in RELU else None


def _biased(x, weights, index=1):
    return x + ops.cast(weights[index], x.dtype) if index < len(weights) else x


def _lstm_forward(x, seen, states, weights):
    c = states[1]
    gates = _biased(x, weights) + bptt.product(seen, weights[0])
    i, f, g, o = ops.split(gates, 4, axis=-1)
    i, f, g, o = ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), ops.sigmoid(o)
    new = f * c + i * g
    squashed = ops.tanh(new)
    return [o * squashed, new], (c, i, f, g, o, squashed)


def _lstm_backward(saved, hidden, gradients, transposed):
    c, i, f, g, o, squashed = saved
    d_h, d_c = gradients
    d_c = d_c + d_h * o * (1 - squashed * squashed)
    d_i = d_c * g * i * (1 - i)
    d_f = d_c * c * f * (1 - f)
    d_g = d_c * i * (1 - g * g)
    d_o = d_h * squashed * o * (1 - o)
    d_gates = ops.concatenate([d_i, d_f, d_g, d_o], axis=-1)
    d_seen = bptt.product(d_gates, transposed[0])
    return (d_gates,), d_seen, [ops.zeros_like(d_h), d_c * f]


def _only(collected):
    (d_x,) = collected
    return d_x


def _gradients(seen, saved, collected):
    (d_x,) = collected
    return [bptt.kernel_gradient(seen, d_x), bptt.bias_gradient(d_x)]


_LSTM = bptt.Cell(_lstm_forward, _lstm_backward, _only, _gradients)


def _gru_forward(x, seen, states, weights):
    (h,) = states
    recurrent = _biased(bptt.product(seen, weights[0]), weights, 2)
    z, r, g = ops.split(_biased(x, weights), 3, axis=-1)
    h_z, h_r, h_g = ops.split(recurrent, 3, axis=-1)
    z, r = ops.sigmoid(z + h_z), ops.sigmoid(r + h_r)
    g = ops.tanh(g + r * h_g)
    return [z * h + (1 - z) * g], (z, r, g, h_g)


def _gru_backward(saved, hidden, gradients, transposed):
    z, r, g, h_g = saved
    (d_h,) = gradients
    d_z = d_h * (hidden.before - g) * z * (1 - z)
    d_g = d_h * (1 - z) * (1 - g * g)
    d_r = d_g * h_g * r * (1 - r)
    d_recurrent = ops.concatenate([d_z, d_r, d_g * r], axis=-1)
    d_seen = bptt.product(d_recurrent, transposed[0])
    return (d_recurrent, d_g), d_seen, [d_h * z]


def _gru_projected(collected):
    d_recurrent, d_g = collected
    gates = 2 * d_g.shape[-1]
    return ops.concatenate([d_recurrent[..., :gates], d_g], axis=-1)


def _gru_gradients(seen, saved, collected):
    d_recurrent, d_g = collected
    gates = 2 * d_g.shape[-1]
    d_kernel = bptt.kernel_gradient(seen, d_recurrent)
    d_recurrent_bias = bptt.bias_gradient(d_recurrent)
    d_bias = [d_recurrent_bias[:gates], bptt.bias_gradient(d_g)]
    return [d_kernel, ops.concatenate(d_bias), d_recurrent_bias]


_GRU = bptt.Cell(_gru_forward, _gru_backward, _gru_projected, _gru_gradients)


def _reset_before_forward(x, seen, states, weights):
    (h,) = states
    z, r, g = ops.split(_biased(x, weights, 2), 3, axis=-1)
    h_z, h_r = ops.split(bptt.product(seen, weights[0]), 2, axis=-1)
    z, r = ops.sigmoid(z + h_z), ops.sigmoid(r + h_r)
    reset = r * seen
    g = ops.tanh(g + bptt.product(reset, weights[1]))
    return [z * h + (1 - z) * g], (z, r, g, reset)


def _reset_before_backward(saved, hidden, gradients, transposed):
    z, r, g, _ = saved
    (d_h,) = gradients
    d_z = d_h * (hidden.before - g) * z * (1 - z)
    d_g = d_h * (1 - z) * (1 - g * g)
    d_reset = bptt.product(d_g, transposed[1])
    d_r = d_reset * hidden.seen * r * (1 - r)
    d_gates = ops.concatenate([d_z, d_r], axis=-1)
    d_seen = bptt.product(d_gates, transposed[0]) + d_reset * r
    return (d_gates, d_g), d_seen, [d_h * z]


def _reset_before_projected(collected):
    return ops.concatenate(collected, axis=-1)


def _reset_before_gradients(seen, saved, collected):
    d_gates, d_g = collected
    reset = saved[-1]
    d_kernels = [
        bptt.kernel_gradient(seen, d_gates),
        bptt.kernel_gradient(reset, d_g),
    ]
    d_bias = [bptt.bias_gradient(d_gates), bptt.bias_gradient(d_g)]
    return [*d_kernels, ops.concatenate(d_bias)]


_RESET_BEFORE = bptt.Cell(
    _reset_before_forward,
    _reset_before_backward,
    _reset_before_projected,
    _reset_before_gradients,
)


def _simple_rnn(activation, derivative):
    """Makes a `bptt.Cell`; `derivative` is a function of the activation's output."""

    def forward(x, seen, states, weights):
        h = activation(_biased(x, weights) + bptt.product(seen, weights[0]))
        return [h], ()

    def backward(saved, hidden, gradients, transposed):
        d_x = gradients[0] * derivative(hidden.after)
        d_seen = bptt.product(d_x, transposed[0])
        return (d_x,), d_seen, [ops.zeros_like(d_x)]

    return bptt.Cell(forward, backward, _only, _gradients)


_TANH_RNN = _simple_rnn(ops.tanh, lambda h: 1 - h * h)
_RELU_RNN = _simple_rnn(ops.relu, lambda h: ops.cast(h > 0, h.dtype))
