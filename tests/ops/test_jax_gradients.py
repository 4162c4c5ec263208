"""The gradients by hand on JAX, in a process of their own."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def test_gradients_by_hand_equal_those_of_jax():
    paths = {"KERAS_BACKEND": "jax", "PYTHONPATH": str(HERE.parents[1])}
    result = subprocess.run(
        [sys.executable, HERE / "jax_gradients.py"],
        env=os.environ | paths,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    assert "equal" in result.stdout
