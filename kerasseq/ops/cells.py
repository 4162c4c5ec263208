"""One time step of the recurrent cells, with Keras' weight layout and gate order.

The functions take the projected input, `x @ kernel + bias`, so that a layer can compute
it once for all time steps. Letters: `h` hidden state, `c` cell state; `i`, `f`, `g`,
`o` input gate, forget gate, candidate and output gate; `z`, `r` update and reset gate.
"""

from keras import ops


def simple_rnn_step(
    projected, states, recurrent_kernel, activation=ops.tanh, recurrent_mask=None
):
    """One step of an Elman (1990) recurrent network.

    Args:
        projected: Tensor of shape `(batch_size, units)`, `x @ kernel + bias`.
        states: List of `h`, of shape `(batch_size, units)`.
        recurrent_kernel: Tensor of shape `(units, units)`.
        activation: Callable.
        recurrent_mask: Optional dropout mask of shape `(batch_size, units)` on `h`.

    Returns:
        `(h, [h])`.
    """
    (h,) = states
    if recurrent_mask is not None:
        h = h * recurrent_mask
    h = activation(projected + ops.matmul(h, recurrent_kernel))
    return h, [h]


def lstm_step(
    projected,
    states,
    recurrent_kernel,
    activation=ops.tanh,
    recurrent_activation=ops.sigmoid,
    recurrent_mask=None,
):
    """One step of a long short-term memory (Hochreiter and Schmidhuber, 1997).

    Args:
        projected: Tensor of shape `(batch_size, 4 * units)`, `x @ kernel + bias`, gates
            `i, f, g, o`.
        states: List of `h` and `c`, both of shape `(batch_size, units)`.
        recurrent_kernel: Tensor of shape `(units, 4 * units)`.
        activation: Callable for the candidate and the output.
        recurrent_activation: Callable for the gates.
        recurrent_mask: Optional dropout mask of shape `(batch_size, units)` on `h`.

    Returns:
        `(h, [h, c])`.
    """
    h, c = states
    if recurrent_mask is not None:
        h = h * recurrent_mask
    gates = projected + ops.matmul(h, recurrent_kernel)
    i, f, g, o = ops.split(gates, 4, axis=-1)
    c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g)
    h = recurrent_activation(o) * activation(c)
    return h, [h, c]


def gru_step(
    projected,
    states,
    recurrent_kernel,
    recurrent_bias=None,
    activation=ops.tanh,
    recurrent_activation=ops.sigmoid,
    reset_after=True,
    recurrent_mask=None,
):
    """One step of a gated recurrent unit (Cho et al., 2014).

    Args:
        projected: Tensor of shape `(batch_size, 3 * units)`, `x @ kernel + input_bias`,
            gates `z, r, g`.
        states: List of `h`, of shape `(batch_size, units)`.
        recurrent_kernel: Tensor of shape `(units, 3 * units)`.
        recurrent_bias: Tensor of shape `(3 * units,)` or `None`; only with
            `reset_after`.
        activation: Callable for the candidate.
        recurrent_activation: Callable for the gates.
        reset_after: Boolean, whether to apply the reset gate after the matrix product
            (as cuDNN) or before it (as in the paper).
        recurrent_mask: Optional dropout mask of shape `(batch_size, units)` on `h`
            inside the gates.

    Returns:
        `(h, [h])`.
    """
    (h,) = states
    seen = h if recurrent_mask is None else h * recurrent_mask
    units = h.shape[-1]
    if reset_after:
        recurrent = ops.matmul(seen, recurrent_kernel)
        if recurrent_bias is not None:
            recurrent = recurrent + recurrent_bias
        recurrent_gates, recurrent_g = _split_candidate(recurrent, units)
    else:
        recurrent_gates = ops.matmul(seen, recurrent_kernel[:, : 2 * units])
    projected_gates, projected_g = _split_candidate(projected, units)
    gates = recurrent_activation(projected_gates + recurrent_gates)
    z, r = ops.split(gates, 2, axis=-1)
    if reset_after:
        recurrent_g = r * recurrent_g
    else:
        recurrent_g = ops.matmul(r * seen, recurrent_kernel[:, 2 * units :])
    g = activation(projected_g + recurrent_g)
    h = g + z * (h - g)
    return h, [h]


def _split_candidate(gates, units):
    return gates[:, : 2 * units], gates[:, 2 * units :]
