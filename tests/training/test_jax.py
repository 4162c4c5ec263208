"""This folder once more on JAX, where TensorFlow cannot be imported."""

import pathlib

import jax_process
import keras
import pytest

RUN = """
import sys
sys.modules["tensorflow"] = None
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="already on JAX"
)


def run_on_jax(*arguments):
    folder = pathlib.Path(__file__).parent
    result = jax_process.run("-c", RUN, folder, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_the_quick_ones_pass():
    truncated = "test_truncated_bptt and (equal or learns or disturbs or resumes)"
    others = "averaged_weights or smoothed_cross_entropy or stop_on_nan or stops_early"
    run_on_jax("-k", f"{others} or {truncated}")


@pytest.mark.slow
def test_all_pass():
    run_on_jax("-m", "not slow")
