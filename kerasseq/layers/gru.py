"""Gated recurrent unit layer."""

import keras

from kerasseq.layers import compiled_rnn


@keras.saving.register_keras_serializable(package="kerasseq")
class GRU(compiled_rnn.CompiledRNNMixin, keras.layers.GRU):
    """`keras.layers.GRU` that compiles with XLA on every device.

    Takes the arguments of `keras.layers.GRU`, but for `use_cudnn=True`, and holds
    the same weights in the same order (gates `z, r, h`; with `reset_after` a bias of
    shape `(2, 3 * units)`), so that weights move between the two in both directions.
    It works inside `keras.layers.Bidirectional`.

    Masks may have any pattern: a masked step keeps the state and repeats the last
    output, or returns zeros with `zero_output_for_mask`.

    Args:
        units: Positive integer, dimensionality of the output.
        **kwargs: The other arguments of `keras.layers.GRU`. Of `dropout` and
            `recurrent_dropout`, one mask per sequence is drawn (Gal and Ghahramani,
            2016); unlike in Keras, `recurrent_dropout` also acts with
            `implementation=2`.

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
        >>> layer = kerasseq.layers.GRU(4, return_sequences=True)
        >>> layer(np.random.rand(32, 10, 8)).shape
        (32, 10, 4)

    Reference:
        Cho et al. (2014), Learning Phrase Representations using RNN Encoder-Decoder
        for Statistical Machine Translation.
    """

    def __init__(self, *args, use_cudnn=False, **kwargs):
        compiled_rnn.check_no_cudnn(use_cudnn)
        super().__init__(*args, use_cudnn=False, **kwargs)
