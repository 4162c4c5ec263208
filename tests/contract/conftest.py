import pathlib

import jax_process
import numpy as np
import pytest
from contract import load_and_run

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="session")
def saved_catalogue(request, tmp_path_factory):
    """A folder with `.keras` file, inputs (`.npz`) and outputs of each tested entry."""
    folder = tmp_path_factory.mktemp("catalogue")
    tests = [x for x in request.session.items if "reload" in x.fixturenames]
    entries = {x.callspec.params["entry"].id: x.callspec.params["entry"] for x in tests}
    for entry in entries.values():
        model, inputs = entry.model(), entry.inputs()
        model.save(folder / f"{entry.id}.keras")
        np.savez(folder / f"{entry.id}.npz", **inputs)
        outputs = load_and_run.run(model, inputs)
        np.save(folder / f"{entry.id}.expected.npy", outputs)
    return folder


@pytest.fixture(scope="session")
def reload(saved_catalogue):
    """Runs the saved files in a fresh process on a backend, once for all tests."""
    done = set()

    def run(backend):
        if backend not in done:
            program = HERE / "load_and_run.py"
            result = jax_process.run(program, saved_catalogue, KERAS_BACKEND=backend)
            assert result.returncode == 0, result.stderr
            done.add(backend)
        return saved_catalogue

    return run
