"""P5: the same `.keras` file gives the same outputs on TensorFlow and on JAX.

That both train is P1, which runs on both (see `test_jax_half.py`).
"""

import catalog
import keras
import numpy as np
import pytest


@pytest.mark.parametrize("entry", catalog.keeping("P5"))
def test_outputs_are_equal_on_the_other_backend(entry, reload):
    other = "jax" if keras.backend.backend() == "tensorflow" else "tensorflow"
    folder = reload(other)
    expected = np.load(folder / f"{entry.id}.expected.npy")
    found = np.load(folder / f"{entry.id}.{other}.npy")
    np.testing.assert_allclose(found, expected, atol=1e-5)
