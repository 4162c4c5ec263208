"""Loads each `.keras` file of a folder and writes its outputs; a child process."""

import pathlib
import sys

import keras
import numpy as np

from kerasseq import layers  # noqa: F401  registers the classes


def run(model, inputs):
    """The outputs of a model; compiled on JAX, which compiles each op otherwise."""
    if keras.backend.backend() == "jax":
        return model.predict_on_batch(inputs)
    return keras.ops.convert_to_numpy(model(inputs, training=False))


def main(folder):
    backend = keras.backend.backend()
    for path in sorted(pathlib.Path(folder).glob("*.keras")):
        model = keras.saving.load_model(path)
        with np.load(path.with_suffix(".npz")) as inputs:
            outputs = run(model, dict(inputs))
        np.save(path.with_suffix(f".{backend}.npy"), outputs)


if __name__ == "__main__":
    main(sys.argv[1])
