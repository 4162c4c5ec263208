"""Writes traced signatures as a SavedModel that TensorFlow runs without Keras."""

import os
from collections.abc import Mapping

import tensorflow as tf

from kerasseq.export import samples as samples_lib
from kerasseq.export import signatures as signatures_lib


def write(
    signatures: Mapping[str, signatures_lib.Signature], path: str | os.PathLike
) -> None:
    """Writes a SavedModel.

    Args:
        signatures: `{name: signatures.Signature}`.
        path: Path of the folder to write.

    Raises:
        OSError: If it cannot be written, as on a full disk.
    """
    module = tf.Module(name="kerasseq")
    # What a function captures must be tracked by the saved object. Keras' wrapper of a
    # variable would need Keras on loading, so the plain variables are tracked.
    variables = {
        id(variable): variable
        for signature in signatures.values()
        for variable in signature.concrete.variables
    }
    module.tracked = list(variables.values())
    functions = {name: signature.concrete for name, signature in signatures.items()}
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
