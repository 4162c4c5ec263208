"""P4: SavedModel and TFLite with builtin ops, run without TensorFlow and Keras."""

import json
import subprocess
import sys

import catalog
import keras
import numpy as np
import pytest

from kerasseq import export

RUN_FILE = """
import sys
import numpy as np
from kerasseq import lite

runner = lite.Runner(sys.argv[1])
with np.load(sys.argv[2]) as inputs:
    outputs = runner.run(**inputs)
np.savez(sys.argv[3], **outputs)
loaded = {"tensorflow", "keras", "jax"} & set(sys.modules)
assert not loaded, loaded
"""


def loop_strategies(entry):
    """LSTM layers as one fused op each too, all others as a loop."""
    if entry.covers == "LSTM":
        return {"while": [], "fused": []}
    fusible = entry.covers in ("RNN", "StackedRNN")
    return {"while": []} | ({"fused": [pytest.mark.slow]} if fusible else {})


def cases():
    return [
        pytest.param(
            *case.values, name, id=f"{case.id}-{name}", marks=[*case.marks, *marks]
        )
        for case in catalog.keeping("P4", variants_are_slow=True)
        for name, marks in loop_strategies(*case.values).items()
    ]


@pytest.mark.parametrize("entry, loop_strategy", cases())
def test_exported_file_computes_the_same(entry, loop_strategy, tmp_path):
    model, inputs = entry.model(), entry.inputs()
    expected = keras.ops.convert_to_numpy(model(inputs, training=False))

    def signatures(twin):
        specs = {name: (x.shape, x.dtype.name) for name, x in inputs.items()}
        return {"serve": (lambda **tensors: {"outputs": twin(tensors)}, specs)}

    report = export.export_model(
        model,
        tmp_path,
        signatures=signatures,
        samples={"serve": [inputs]},
        loop_strategy=loop_strategy,
    )

    tflite = report["artifacts"][0]
    assert tflite["flex_ops"] == tflite["custom_ops"] == []
    assert not tflite["dynamic_shapes"]
    assert tflite["max_abs_diff"] <= 1e-4
    assert json.loads((tmp_path / "report.json").read_text()) == report

    np.savez(tmp_path / "inputs.npz", **inputs)
    paths = [tmp_path / name for name in ("model.tflite", "inputs.npz", "outputs.npz")]
    subprocess.run([sys.executable, "-c", RUN_FILE, *paths], check=True, timeout=120)
    with np.load(tmp_path / "outputs.npz") as outputs:
        np.testing.assert_allclose(outputs["outputs"], expected, atol=1e-4)
