"""Traces functions with TensorFlow and writes them as a SavedModel without Keras."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from kerasseq.export import samples as samples_lib


class Traced:
    """A function traced once by `tf.function`.

    Args:
        function: Called with one keyword tensor per input; returns a dict of tensors.
        specs: `{input name: (shape, dtype)}`.
        variables: Not used: TensorFlow finds them.
    """

    def __init__(
        self,
        function: Callable[..., dict[str, Any]],
        specs: samples_lib.Specs,
        variables: Sequence[Any] = (),
    ) -> None:
        tensor_specs = {
            key: tf.TensorSpec(shape, dtype, name=key)
            for key, (shape, dtype) in specs.items()
        }
        # Keras' own loops are graph loops already: autograph could only change them.
        traced = tf.function(function, autograph=False)
        self.concrete = traced.get_concrete_function(**tensor_specs)
        self.outputs = list(self.concrete.structured_outputs)

    def run(self, inputs: samples_lib.Arrays) -> samples_lib.Arrays:
        """Runs the traced function on NumPy arrays.

        Args:
            inputs: `{name: array}`.

        Returns:
            A dict of NumPy arrays.
        """
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        return {k: v.numpy() for k, v in self.concrete(**tensors).items()}


def write(traced: Mapping[str, Traced], path: str | os.PathLike) -> None:
    """Writes a SavedModel.

    Args:
        traced: `{signature name: Traced}`.
        path: Path of the folder to write.

    Raises:
        OSError: If it cannot be written, as on a full disk.
    """
    module = tf.Module(name="kerasseq")
    # What a function captures must be tracked by the saved object. Keras' wrapper of a
    # variable would need Keras on loading, so the plain variables are tracked.
    variables = {
        id(variable): variable
        for function in traced.values()
        for variable in function.concrete.variables
    }
    module.tracked = list(variables.values())
    functions = {name: function.concrete for name, function in traced.items()}
    try:
        tf.saved_model.save(module, str(path), signatures=functions)
    except tf.errors.OpError as error:
        raise OSError(f"The SavedModel cannot be written: {error.message}") from error


def load(path: str | os.PathLike) -> samples_lib.Engine:
    """Loads a SavedModel to run it with NumPy.

    Args:
        path: Path of the folder.

    Returns:
        A function of a signature's name and a dict of arrays that returns a dict of
        arrays.
    """
    loaded = tf.saved_model.load(str(path))

    def run(signature, inputs):
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        outputs = loaded.signatures[signature](**tensors)
        return {name: value.numpy() for name, value in outputs.items()}

    return run
