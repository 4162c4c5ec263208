"""Truncated backpropagation through time: the state goes on from batch to batch."""

import keras
import numpy as np
from keras import ops

from kerasseq import models


# The name is a file format.
@keras.saving.register_keras_serializable(package="kerasseq", name="CarriedState")
class TruncatedBPTT(keras.Model):
    """Trains a step model on contiguous batches, keeping its states between them.

    A step model takes its states as inputs and returns them as outputs of the same
    names (see `kerasseq.models.state_names`); it is stateless itself. This wrapper
    holds the states in variables: each call, in training or not, starts from `states`
    and stores its final states there. Gradients do not flow from one call into the
    previous one, so backpropagation is truncated at the batch, while the state goes
    on.

    `fit` resets the states at the start of each epoch. `evaluate`, also as validation
    in `fit`, and `predict` start from zero states and restore the previous ones
    afterwards. `train_on_batch` and direct calls continue from `states`;
    `reset_states` sets them to zero.

    The wrapper shares its weights with the step model. Save and export the step
    model; `kerasseq.decoding.step_signature` makes the signature that an app calls.
    `kerasseq.training.RunState` accepts the wrapper and resumes exactly.

    Args:
        step_model: Functional model with a dict of inputs and a dict of outputs. Those
            that have a name in common are the states.
        batch_size: Integer. Number of rows of every batch.
        main_output: Name of the output to return. May be omitted if there is only one
            besides the states.
        **kwargs: `name` and `dtype` of `keras.Model`.

    Attributes:
        states: Dict of state variables, each of shape `(batch_size, ...)`.

    Call arguments:
        inputs: The only input that is not a state, or a dict of such inputs by name,
            each with `batch_size` rows.
        training: Boolean, whether the step model runs in training mode.

    Output shape:
        That of `main_output`.

    Raises:
        ValueError: For a model that is not a step model, an unknown output, a state
            of unknown size, unexpected inputs, another batch size, or
            `fit(shuffle=True)`.

    Example:

    ```python
    batches = kerasseq.data.ContiguousBatches(ids, batch_size=32, length=64)
    step_model = kerasseq.models.language_model(vocabulary_size)
    trainer = kerasseq.training.TruncatedBPTT(step_model, batch_size=32)
    trainer.compile("adam", loss, jit_compile=True)
    trainer.fit(batches, epochs=10)
    step_model.save("model.keras")
    ```

    Reference:
        Williams and Peng (1990), An Efficient Gradient-Based Algorithm for On-Line
        Training of Recurrent Network Trajectories; Mikolov et al. (2010).
    """

    def __init__(self, step_model, batch_size, main_output=None, **kwargs):
        names = models.state_names(step_model)
        super().__init__(**kwargs)
        if batch_size < 1:
            raise ValueError(
                f"`batch_size` must be at least 1. Received: batch_size={batch_size}"
            )
        self.step_model = step_model
        self.batch_size = batch_size
        self.main_output = _main_output(step_model, names, main_output)
        self.states = {name: self._add_state(step_model.input[name]) for name in names}
        self._data_names = [name for name in step_model.input if name not in names]
        self.built = True  # `RunState` restores before the first call

    def reset_states(self):
        """Sets the states to zero."""
        for state in self.states.values():
            state.assign(ops.zeros(state.shape, state.dtype))

    def count_params(self):
        """The number of weights of the step model, without the states."""
        return self.step_model.count_params()

    def call(self, inputs, training=None):
        inputs = self._named(inputs)
        for name, tensor in inputs.items():
            inputs[name] = self._checked(name, tensor)
        states = {name: ops.convert_to_tensor(s) for name, s in self.states.items()}
        outputs = self.step_model(inputs | states, training=training)
        for name, state in self.states.items():
            state.assign(ops.stop_gradient(ops.cast(outputs[name], state.dtype)))
        return outputs[self.main_output]

    def fit(self, x=None, y=None, *, callbacks=None, shuffle=False, **kwargs):
        """As `keras.Model.fit`, in the given order, from zero states each epoch."""
        if shuffle:
            raise ValueError(
                "Batches must come in the order of the text, since each continues the "
                f"one before: leave `shuffle` out. Received: shuffle={shuffle}"
            )
        _check_batches(x, self.batch_size, kwargs.get("batch_size"))
        reset = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self.reset_states()
        )
        callbacks = [reset, *keras.tree.flatten(callbacks or [])]
        return super().fit(x, y, callbacks=callbacks, shuffle=False, **kwargs)

    def evaluate(self, x=None, y=None, **kwargs):
        """As `keras.Model.evaluate`, from zero states; restores the previous ones."""
        _check_batches(x, self.batch_size, kwargs.get("batch_size"))
        return self._from_zero(super().evaluate, x, y, **kwargs)

    def predict(self, x, **kwargs):
        """As `keras.Model.predict`, from zero states; restores the previous ones."""
        _check_batches(x, self.batch_size, kwargs.get("batch_size"))
        return self._from_zero(super().predict, x, **kwargs)

    def get_config(self):
        return {
            **super().get_config(),
            "step_model": keras.saving.serialize_keras_object(self.step_model),
            "batch_size": self.batch_size,
            "main_output": self.main_output,
        }

    @classmethod
    def from_config(cls, config):
        step_model = keras.saving.deserialize_keras_object(config["step_model"])
        return cls(**{**config, "step_model": step_model})

    def _add_state(self, tensor):
        shape = (self.batch_size, *tensor.shape[1:])
        if None in shape:
            raise ValueError(
                "A state must have a fixed size in all but the batch axis. Received: "
                f"state {tensor.name!r} of shape {tuple(tensor.shape)}"
            )
        return self.add_weight(
            shape=shape,
            initializer="zeros",
            dtype=tensor.dtype,
            trainable=False,
            autocast=False,  # a float32 state stays one under mixed precision
            name=tensor.name,
        )

    def _named(self, inputs):
        if not isinstance(inputs, dict) and len(self._data_names) == 1:
            return {self._data_names[0]: inputs}
        if not isinstance(inputs, dict) or set(inputs) != set(self._data_names):
            found = list(inputs) if isinstance(inputs, dict) else type(inputs).__name__
            raise ValueError(
                "The inputs must be a dict of the step model's inputs other than the "
                f"states, {self._data_names}. Received: {found}"
            )
        return dict(inputs)

    def _checked(self, name, tensor):
        size, rest = tensor.shape[0], tuple(tensor.shape[1:])
        if size is None and None not in rest:
            # Arrays in `fit` have no static size, but `_check_batches` has seen them.
            return ops.reshape(tensor, (self.batch_size, *rest))
        if size != self.batch_size:
            raise ValueError(
                f"Every batch must have batch_size={self.batch_size} rows, the number "
                "of texts read in parallel; drop a smaller last batch. "
                f"Received: input {name!r} of shape {(size, *rest)}"
            )
        return tensor

    def _from_zero(self, run, *args, **kwargs):
        before = [np.array(ops.convert_to_numpy(s)) for s in self.states.values()]
        self.reset_states()
        try:
            return run(*args, **kwargs)
        finally:
            for state, value in zip(self.states.values(), before, strict=True):
                state.assign(value)


def _main_output(step_model, states, name):
    names = [output for output in step_model.output if output not in states]
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        raise ValueError(
            f"`main_output` must be one of {names}, the outputs that are not states. "
            f"Received: main_output={name!r}"
        )
    return name


def _check_batches(data, batch_size, given):
    """Refuses what would otherwise fail in the compiled step, with a worse message."""
    if isinstance(data, keras.utils.PyDataset):
        found = getattr(data, "batch_size", batch_size)
        if found != batch_size:
            raise ValueError(
                "Data and states must have the same batch size. Received: "
                f"{type(data).__name__}(batch_size={found}) and "
                f"TruncatedBPTT(batch_size={batch_size})"
            )
        return
    arrays = [x for x in keras.tree.flatten(data) if hasattr(x, "shape")]
    if arrays and (given != batch_size or arrays[0].shape[0] % batch_size):
        raise ValueError(
            "Arrays must consist of whole batches, one after the other, and "
            "`batch_size` must be that of the states; use "
            "`kerasseq.data.ContiguousBatches`. "
            f"Received: batch_size={given}, {arrays[0].shape[0]} rows and "
            f"TruncatedBPTT(batch_size={batch_size})"
        )
