"""Long short-term memory layer."""

import keras

from kerasseq.layers import compiled_rnn


@keras.saving.register_keras_serializable(package="kerasseq")
class LSTM(compiled_rnn.CompiledRNNMixin, keras.layers.LSTM):
    """`keras.layers.LSTM` that compiles with XLA on every device.

    Takes the arguments of `keras.layers.LSTM`, but for `use_cudnn=True`, and holds
    the same weights in the same order (gates `i, f, c, o`), so that weights move
    between the two in both directions. It works inside `keras.layers.Bidirectional`.

    Masks may have any pattern: a masked step keeps the state and repeats the last
    output, or returns zeros with `zero_output_for_mask`.

    Args:
        units: Positive integer, dimensionality of the output.
        **kwargs: The other arguments of `keras.layers.LSTM`. Of `dropout` and
            `recurrent_dropout`, one mask per sequence is drawn (Gal and Ghahramani,
            2016).

    Call arguments:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_state: Optional list of two tensors `(batch_size, units)`, the hidden
            and the cell state. Zeros by default.
        mask: Optional boolean tensor `(batch_size, time)`; `False` skips the step.
        training: Whether dropout is applied.

    Output shape:
        `(batch_size, units)`, or `(batch_size, time, units)` with `return_sequences`;
        with `return_state` a tuple of that and the two final states.

    Example:
        >>> layer = kerasseq.layers.LSTM(4, return_sequences=True)
        >>> layer(np.random.rand(32, 10, 8)).shape
        (32, 10, 4)

    Reference:
        Hochreiter and Schmidhuber (1997), Long Short-Term Memory.
    """

    def __init__(self, *args, use_cudnn=False, **kwargs):
        compiled_rnn.check_no_cudnn(use_cudnn)
        super().__init__(*args, use_cudnn=False, **kwargs)
