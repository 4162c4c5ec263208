import os
import pathlib
import subprocess
import sys

import catalog
import keras
import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="session")
def saved_catalogue(tmp_path_factory):
    """A folder with each entry's `.keras` file, inputs (`.npz`) and outputs."""
    folder = tmp_path_factory.mktemp("catalogue")
    for entry in catalog.ENTRIES:
        model, inputs = entry.model(), entry.inputs()
        model.save(folder / f"{entry.id}.keras")
        np.savez(folder / f"{entry.id}.npz", **inputs)
        outputs = keras.ops.convert_to_numpy(model(inputs, training=False))
        np.save(folder / f"{entry.id}.expected.npy", outputs)
    return folder


@pytest.fixture(scope="session")
def reload(saved_catalogue):
    """Runs the saved files in a fresh process on a backend, once for all tests."""
    done = set()

    def run(backend):
        if backend not in done:
            command = [sys.executable, HERE / "load_and_run.py", saved_catalogue]
            paths = {"KERAS_BACKEND": backend, "PYTHONPATH": str(HERE.parents[1])}
            environment = os.environ | paths
            subprocess.run(command, env=environment, check=True, timeout=600)
            done.add(backend)
        return saved_catalogue

    return run
