"""Each of fourteen stock models: float32 and int8 files that run without Keras."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasseq import export
from tests.export import architectures

# What int8 cannot do, and why.
NO_INT8 = {
    "conv_lstm": "the loop of a stock ConvLSTM2D stays one, and the converter has none",
}
RUN = """
import json, sys
for name in ("tensorflow", "keras"):
    sys.modules[name] = None
import numpy as np
from kerasseq import lite
path, data = sys.argv[1:]
inputs = dict(np.load(data))
outputs = lite.Runner(path).run(**inputs)
print(json.dumps([outputs[name].tolist() for name in sorted(outputs)]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", architectures.ALL)
def test_exports(name, tmp_path):
    keras.utils.set_random_seed(0)
    model = architectures.ALL[name]()
    data = architectures.rows(model, 60)
    quantize = [] if name in NO_INT8 else [export.Int8(data)]
    report = export.export_model(
        model,
        tmp_path / "out",
        samples={key: value[:8] for key, value in data.items()},
        quantize=quantize,
    )
    for entry in report["artifacts"]:
        assert entry["flex_ops"] == entry["custom_ops"] == []
        limit = 0.15 if entry["precision"] == "int8" else 1e-4
        assert entry["max_abs_diff"] < limit, entry["file"]
    one = {key: value[:1] for key, value in data.items()}
    np.savez(tmp_path / "one.npz", **one)
    path = tmp_path / "out/model.tflite"
    result = subprocess.run(
        [sys.executable, "-c", RUN, path, tmp_path / "one.npz"],
        capture_output=True,
        text=True,
        check=True,
    )
    inputs = [one[tensor.name] for tensor in model.inputs]
    expected = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    (found,) = json.loads(result.stdout.splitlines()[-1])
    np.testing.assert_allclose(found, expected, atol=1e-4)
