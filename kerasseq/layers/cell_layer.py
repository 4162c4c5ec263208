"""A recurrent layer with the flat arguments of the cell that it builds."""

import keras

from kerasseq.layers import _arguments, compiled_rnn

_LAYER_ARGUMENTS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "unroll",
    "zero_output_for_mask",
    "activity_regularizer",
    "name",
    "autocast",
)
_BOTH_ARGUMENTS = ("dtype", "trainable")


class CellLayer(compiled_rnn.CompiledRNNMixin, keras.layers.RNN):
    """Base of the layers that are a loop over one cell, their `cell_class`.

    Takes the arguments of the cell beside those of `keras.layers.RNN`, as
    `keras.layers.LSTM` does, and gives them back in `get_config`.
    """

    cell_class = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        merged = _arguments.signature(cls.cell_class, cls)
        others = [p for p in merged.parameters.values() if p.name != "cell"]
        cls.__signature__ = merged.replace(parameters=others)

    def __init__(self, units, **kwargs):
        layer = {key: kwargs.pop(key) for key in _LAYER_ARGUMENTS if key in kwargs}
        both = {key: kwargs[key] for key in _BOTH_ARGUMENTS if key in kwargs}
        cell = self.cell_class(units, name="cell", **kwargs)
        super().__init__(cell, **layer, **both)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    @property
    def units(self):
        return self.cell.units

    def get_config(self):
        config = super().get_config()
        del config["cell"]
        return self.cell.get_config() | config

    @classmethod
    def from_config(cls, config):
        return cls(**config)
