import keras
import numpy as np
import tensorflow as tf

from kerasseq import export, lite
from kerasseq.export.saved_model import input_names

NAMES = ["x", "in put", "a.b", "1st", "x-y", "вход", "in_put"]


class TestBasics:
    def test_usable_names_are_identifiers_and_differ(self):
        found = input_names.usable(NAMES)
        assert list(found) and set(found) == set(NAMES)
        assert found["x"] == "x" and found["in_put"] == "in_put"
        assert all(key.isidentifier() and key.isascii() for key in found.values())
        assert len(set(found.values())) == len(NAMES)

    def test_nothing_is_written_where_all_names_are_usable(self, tmp_path):
        input_names.write(tmp_path, {"serve": {"x": "x"}})
        assert not list(tmp_path.iterdir()) and input_names.read(tmp_path) == {}


class TestNumbers:
    def test_the_file_has_the_names_of_the_model(self, tmp_path):
        inputs = [keras.Input((2,), name=name) for name in NAMES]
        scaled = [float(i + 1) * x for i, x in enumerate(inputs)]
        outputs = {"the sum, Σ": keras.layers.Add()(scaled)}
        random = np.random.default_rng(0)
        rows = {name: random.normal(size=(8, 2)).astype("float32") for name in NAMES}
        options = [export.Int8(rows)]
        export.export_model(keras.Model(inputs, outputs), tmp_path, quantize=options)
        wanted = sum((i + 1) * rows[name][:1] for i, name in enumerate(NAMES))
        for file, limit in (("model.tflite", 1e-5), ("model_int8.tflite", 0.5)):
            runner = lite.Runner(tmp_path / file)
            assert set(runner.signatures["serve"]["inputs"]) == set(NAMES)
            received = runner.run(**{name: x[:1] for name, x in rows.items()})
            assert np.abs(received["the sum, Σ"] - wanted).max() < limit
        loaded = tf.saved_model.load(tmp_path / "saved_model").signatures["serve"]
        names = input_names.usable(NAMES)
        received = loaded(**{names[k]: tf.constant(x[:1]) for k, x in rows.items()})
        assert np.abs(received["the sum, Σ"] - wanted).max() < 1e-5
