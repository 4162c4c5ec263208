import keras
import numpy as np
import pytest

from kerasseq import export, lite

layers = keras.layers


@pytest.mark.parametrize("quantize", [(), ("int8",)], ids=["float", "int8"])
def test_a_scalar_added_to_a_transposed_convolution(quantize, tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 4, 3), name="x")
    outputs = {
        "bias": layers.Conv2DTranspose(2, 3, activation="hard_sigmoid"),
        "none": layers.Conv2DTranspose(4, 2, strides=2, use_bias=False),
    }
    outputs = {name: layer(inputs) for name, layer in outputs.items()}
    outputs["none"] = outputs["none"] + 0.5
    rows = {"x": np.random.default_rng(0).normal(size=(30, 5, 4, 3))}
    model = keras.Model(inputs, outputs)
    options = [export.Int8(rows) for _ in quantize]
    report = export.export_model(model, tmp_path, samples=rows, quantize=options)
    *_, entry = (x for x in report["artifacts"] if x["file"] != "saved_model")
    limit = 0.05 if quantize else 1e-5
    for name, found in entry["parity"]["serve"]["outputs"].items():
        assert found["relative_error"] < limit, name
    x = rows["x"][:1].astype("float32")
    assert np.isfinite(lite.Runner(tmp_path / entry["file"]).run(x=x)["none"]).all()
