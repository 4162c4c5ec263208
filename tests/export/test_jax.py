"""The export on JAX, where TensorFlow cannot be imported."""

import pathlib

import jax_process
import keras
import pytest

HERE = pathlib.Path(__file__).parent
SHIPS = HERE.parent / "contract" / "test_p4_ships.py"
RUN = """
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""

PROGRAM = jax_process.WITHOUT_TENSORFLOW + RUN

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="already on JAX"
)


def run_on_jax(*arguments):
    result = jax_process.run("-c", PROGRAM, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout


@pytest.mark.slow
def test_the_front_end():
    run_on_jax(HERE / "stablehlo")


@pytest.mark.slow
def test_the_whole_catalogue():
    run_on_jax(SHIPS, "-m", "")


@pytest.mark.slow
def test_the_stock_architectures():
    run_on_jax(HERE / "test_architectures.py", "-m", "")
