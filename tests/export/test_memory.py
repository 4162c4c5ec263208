"""Many exports in one process."""

import gc

import keras
import pytest

from kerasseq import export, layers


def megabytes():
    """Resident memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


@pytest.mark.slow
def test_memory_stays_flat(tmp_path):
    """200 models that differ; what TensorFlow keeps of each, `clear_session` frees."""
    sizes = []
    for index in range(200):
        model = keras.Sequential(
            [
                keras.Input((6, 3 + index % 5)),
                keras.layers.Dense(8 + index, "relu"),
                layers.GRU(4 + index % 7),
            ]
        )
        export.export_model(model, tmp_path / "out")
        del model
        keras.utils.clear_session()
        if index % 50 == 49:
            gc.collect()
            sizes.append(megabytes())
    print(f"\nMB after 50, 100, 150 and 200 exports: {[round(x) for x in sizes]}")
    assert sizes[-1] - sizes[0] < 0.05 * sizes[0]
