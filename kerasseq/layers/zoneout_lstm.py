"""LSTM with zoneout."""

import keras
from keras import ops as kops

from kerasseq import ops
from kerasseq.layers import cell_layer, split_lstm_cell


@keras.saving.register_keras_serializable(package="kerasseq")
class ZoneoutLSTMCell(split_lstm_cell.SplitLSTMCell):
    """Cell of `ZoneoutLSTM`.

    For stacks, in `kerasseq.layers.RNN` or `keras.layers.RNN`. In the latter the
    masks are drawn inside the loop, which JAX does not train.

    Args:
        units: Positive integer, dimensionality of the output.
        zoneout_h: Fraction of the hidden units that keep their value.
        zoneout_c: Fraction of the memory cells that keep their value.
        **kwargs: The other arguments of `keras.layers.LSTMCell`.

    Example:
        >>> cells = [kerasseq.layers.ZoneoutLSTMCell(4) for _ in range(2)]
        >>> kerasseq.layers.RNN(cells)(x).shape
        (32, 4)
    """

    def __init__(self, units, *, zoneout_h=0.05, zoneout_c=0.5, **kwargs):
        for name, rate in (("zoneout_h", zoneout_h), ("zoneout_c", zoneout_c)):
            if not 0 <= rate < 1:
                raise ValueError(
                    f"`{name}` is the fraction of units that keep their value, in "
                    f"[0, 1). Received: {name}={rate}"
                )
        super().__init__(units, **kwargs)
        self.zoneout_h = zoneout_h
        self.zoneout_c = zoneout_c

    def random_numbers(self, shape, training):
        rates = {"kept_h": self.zoneout_h, "kept_c": self.zoneout_c}
        shape = (*shape, self.units)
        return {
            name: ops.random_choice(shape, rate, self.seed_generator)
            for name, rate in rates.items()
            if training and rate
        }

    def step(self, projected, states, training=False):
        h, c = states
        _, (new_h, new_c) = ops.lstm_step(
            projected["gates"],
            states,
            self.recurrent_kernel,
            self.activation,
            self.recurrent_activation,
            self.get_recurrent_dropout_mask(h) if training else None,
        )
        new_h = _zone_out(new_h, h, self.zoneout_h, projected.get("kept_h"))
        new_c = _zone_out(new_c, c, self.zoneout_c, projected.get("kept_c"))
        return new_h, [new_h, new_c]

    def get_config(self):
        rates = {"zoneout_h": self.zoneout_h, "zoneout_c": self.zoneout_c}
        return super().get_config() | rates


def _zone_out(new, old, rate, kept):
    if kept is None:
        return rate * old + (1 - rate) * new if rate else new
    return kops.where(kept, old, new)


@keras.saving.register_keras_serializable(package="kerasseq")
class ZoneoutLSTM(cell_layer.CellLayer):
    """LSTM some of whose units keep their value from step to step in training.

    With random masks `d` of zeros and ones, new for each unit, step and sequence:

        c_t = d_c * c_{t-1} + (1 - d_c) * (f_t * c_{t-1} + i_t * g_t)
        h_t = d_h * h_{t-1} + (1 - d_h) * o_t * tanh(f_t * c_{t-1} + i_t * g_t)

    At inference the masks are replaced by their expectation, the rates. The weights
    are those of `keras.layers.LSTM`. It works inside `keras.layers.Bidirectional`.

    Masks may have any pattern: a masked step keeps the state and repeats the last
    output, or returns zeros with `zero_output_for_mask`.

    Args:
        units: Positive integer, dimensionality of the output.
        zoneout_h: Fraction of the hidden units that keep their value. Defaults to
            `0.05`, which like the next served best for characters in the paper.
        zoneout_c: Fraction of the memory cells that keep their value. Defaults to
            `0.5`.
        **kwargs: The other arguments of `keras.layers.LSTM`, but for `use_cudnn`. Of
            `dropout` and `recurrent_dropout`, one mask per sequence is drawn.

    Call arguments:
        sequences: Tensor of shape `(batch_size, time, features)`.
        initial_state: Optional list of two tensors `(batch_size, units)`, the hidden
            and the cell state. Zeros by default.
        mask: Optional boolean tensor `(batch_size, time)`; `False` skips the step.
        training: Whether zoneout and dropout are random.

    Output shape:
        `(batch_size, units)`, or `(batch_size, time, units)` with `return_sequences`;
        with `return_state` a tuple of that and the two final states.

    Example:
        >>> layer = kerasseq.layers.ZoneoutLSTM(4, zoneout_c=0.25)
        >>> layer(np.random.rand(32, 10, 8)).shape
        (32, 4)

    Reference:
        Krueger et al. (2017), Zoneout: Regularizing RNNs by Randomly Preserving
        Hidden Activations, section 3.2.
    """

    cell_class = ZoneoutLSTMCell
