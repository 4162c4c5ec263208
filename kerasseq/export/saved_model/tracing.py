"""Traces functions with TensorFlow and writes them as a SavedModel without Keras."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from kerasseq.export import samples as samples_lib
from kerasseq.export.saved_model import input_names

# Of IntegerLookup, StringLookup and TextVectorization.
_LOOKUPS = ("LookupTableFindV2", "LookupTableSizeV2")


class Traced:
    """A function traced once by `tf.function`.

    Args:
        function: Called with one keyword tensor per input; returns a dict of tensors.
        specs: `{input name: (shape, dtype)}`.
        variables: Not used: TensorFlow finds them.

    Raises:
        ValueError: If the function has a table for lookups.
    """

    def __init__(
        self,
        function: Callable[..., dict[str, Any]],
        specs: samples_lib.Specs,
        variables: Sequence[Any] = (),
    ) -> None:
        self.names = input_names.usable(specs)
        tensor_specs = {
            self.names[name]: tf.TensorSpec(shape, dtype, name=self.names[name])
            for name, (shape, dtype) in specs.items()
        }

        def renamed(**tensors):
            return function(**{name: tensors[x] for name, x in self.names.items()})

        # Keras' own loops are graph loops already: autograph could only change them.
        traced = tf.function(renamed, autograph=False)
        self.concrete = traced.get_concrete_function(**tensor_specs)
        _check_no_table(self.concrete.graph)
        self.outputs = list(self.concrete.structured_outputs)

    def run(self, inputs: samples_lib.Arrays) -> samples_lib.Arrays:
        """Runs the traced function on NumPy arrays.

        Args:
            inputs: `{name: array}`.

        Returns:
            A dict of NumPy arrays.
        """
        tensors = {self.names[name]: tf.constant(x) for name, x in inputs.items()}
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
    input_names.write(path, {name: x.names for name, x in traced.items()})


def _check_no_table(graph):
    """Raises if a function looks values up in a table, which is no variable."""
    nodes = [x.name for x in graph.get_operations() if x.type in _LOOKUPS]
    if nodes:
        raise ValueError(
            "Mobile runtimes have no builtin op for the table of a lookup layer. "
            "Export the model from the integers on that this layer returns, and look "
            f"them up in the app. Received: '{nodes[0]}'"
        )


def load(path: str | os.PathLike) -> samples_lib.Engine:
    """Loads a SavedModel to run it with NumPy.

    Args:
        path: Path of the folder.

    Returns:
        A function of a signature's name and a dict of arrays that returns a dict of
        arrays.
    """
    loaded = tf.saved_model.load(str(path))
    table = input_names.read(path)

    def run(signature, inputs):
        names = table.get(signature, {})
        tensors = {names.get(k, k): tf.constant(x) for k, x in inputs.items()}
        outputs = loaded.signatures[signature](**tensors)
        return {name: value.numpy() for name, value in outputs.items()}

    return run
