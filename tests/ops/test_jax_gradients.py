"""The gradients by hand on JAX, in a process of their own."""

import pathlib

import jax_process
import pytest

HERE = pathlib.Path(__file__).parent


@pytest.mark.slow
def test_gradients_by_hand_equal_those_of_jax():
    result = jax_process.run(HERE / "jax_gradients.py")
    assert result.returncode == 0, result.stderr
    assert "equal" in result.stdout
