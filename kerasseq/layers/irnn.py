"""Recurrent layer of rectified linear units that starts as the identity."""

import keras

from kerasseq.layers import simple_rnn

DEFAULTS = {
    "activation": "relu",
    "kernel_initializer": {"class_name": "RandomNormal", "config": {"stddev": 0.001}},
    "recurrent_initializer": "identity",
}


@keras.saving.register_keras_serializable(package="kerasseq")
class IRNN(simple_rnn.SimpleRNN):
    """`SimpleRNN` of rectified linear units whose recurrent matrix starts as identity.

        h_t = relu(x_t W + h_{t-1} R + b),  R = identity, b = 0 at the start

    With no input the state stays as it is, and so does the gradient, which lets this
    simple network learn over hundreds of steps. States can grow without bound: clip
    gradients, as the paper does. The weights are those of `keras.layers.SimpleRNN`.

    Masks may have any pattern: a masked step keeps the state and repeats the last
    output, or returns zeros with `zero_output_for_mask`.

    Args:
        units: Positive integer, dimensionality of the output.
        activation: Defaults to `"relu"`.
        kernel_initializer: Initializer of `W`. By default normal with a standard
            deviation of 0.001, as in the paper.
        recurrent_initializer: Initializer of `R`. Defaults to `"identity"`.
        **kwargs: The other arguments of `keras.layers.SimpleRNN`.

    Call arguments:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_state: Optional list of one tensor `(batch_size, units)`. Zeros by
            default.
        mask: Optional boolean tensor `(batch_size, time)`; `False` skips the step.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, units)`, or `(batch_size, time, units)` with `return_sequences`;
        with `return_state` a tuple of that and the final state.

    Example:
        >>> layer = kerasseq.layers.IRNN(4, return_sequences=True)
        >>> layer(np.random.rand(32, 10, 8)).shape
        (32, 10, 4)

    Reference:
        Le, Jaitly and Hinton (2015), A Simple Way to Initialize Recurrent Networks of
        Rectified Linear Units.
    """

    def __init__(
        self,
        units,
        activation="relu",
        kernel_initializer=None,
        recurrent_initializer="identity",
        **kwargs,
    ):
        given = {
            "activation": activation,
            "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer,
        }
        given = {name: value for name, value in given.items() if value is not None}
        super().__init__(units, **DEFAULTS | given, **kwargs)
