"""Fully connected recurrent layer."""

import keras

from kerasseq.layers import compiled_rnn


@keras.saving.register_keras_serializable(package="kerasseq")
class SimpleRNN(compiled_rnn.CompiledRNNMixin, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN` with the input projection hoisted out of the loop.

    Takes the arguments of `keras.layers.SimpleRNN` and holds the same weights, so
    that weights move between the two in both directions. It works inside
    `keras.layers.Bidirectional`.

    Masks may have any pattern: a masked step keeps the state and repeats the last
    output, or returns zeros with `zero_output_for_mask`.

    Args:
        units: Positive integer, dimensionality of the output.
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
        >>> layer = kerasseq.layers.SimpleRNN(4, return_sequences=True)
        >>> layer(np.random.rand(32, 10, 8)).shape
        (32, 10, 4)

    Reference:
        Elman (1990), Finding Structure in Time.
    """
