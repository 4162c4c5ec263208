"""Layers whose states have dtypes of their own: blocks in linear time, their stack."""

import keras
from keras import ops

from kerasseq.layers import _state_protocol


class StateBlock(_state_protocol.StateMixin, keras.layers.Layer):
    """Base of layers `(batch_size, length, features)` to `(..., units)` with states.

    A subclass has `units`, `return_state`, `state_size` and `state_dtypes`, a dtype for
    each state, "compute" for that of the layer's policy. A recurrence keeps its sums in
    float32; since Keras would cast them to half precision on their way in, nothing is
    cast on its own.
    """

    state_dtypes = ()

    def __init__(self, **kwargs):
        super().__init__(**kwargs | {"autocast": False})
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def _dtypes(self):
        given = self.state_dtypes
        return [self.compute_dtype if x == "compute" else x for x in given]

    def get_initial_state(self, batch_size):
        """The zeros that a sequence starts from, a list in the order of the states."""
        pairs = zip(self.state_size, self._dtypes(), strict=True)
        return [ops.zeros((batch_size, *shape), dtype) for shape, dtype in pairs]

    def _states(self, inputs, given):
        """The states to start from, checked."""
        if given is None:
            return self.get_initial_state(ops.shape(inputs)[0])
        states = [ops.convert_to_tensor(x) for x in given]
        shapes = [tuple(x.shape[1:]) for x in states]
        if shapes != self.state_size:
            raise ValueError(
                f"The states of {type(self).__name__} have the shapes "
                f"{self.state_size}, batch left out; start from `get_initial_state`. "
                f"Received: {shapes}"
            )
        pairs = zip(states, self._dtypes(), strict=True)
        return [ops.cast(x, dtype) for x, dtype in pairs]

    def compute_output_shape(self, inputs_shape, initial_state_shape=None):
        shape = (*inputs_shape[:2], self.units)
        if not self.return_state:
            return shape
        return [shape, *((shape[0], *size) for size in self.state_size)]

    def compute_output_spec(self, inputs, *_, **__):
        shapes = self.compute_output_shape(inputs.shape)
        if isinstance(shapes, tuple):
            return keras.KerasTensor(shapes, self.compute_dtype)
        dtypes = [self.compute_dtype] * len(shapes)
        if self.return_state:
            dtypes[1 : 1 + len(self.state_dtypes)] = self._dtypes()
        pairs = zip(shapes, dtypes, strict=True)
        return [keras.KerasTensor(shape, dtype) for shape, dtype in pairs]

    def compute_mask(self, inputs, mask=None):
        shapes = self.compute_output_shape(inputs.shape)
        if isinstance(shapes, tuple):
            return mask
        return [mask, *[None] * (len(shapes) - 1)]
