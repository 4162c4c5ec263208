import importlib.util
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseq import export, lite

KEYS = (
    "file bytes precision signatures ops flex_ops custom_ops gpu_refused_ops "
    "dynamic_shapes max_abs_diff mean_abs_diff max_scaled_diff relative_error "
    "correlation latency_ms peak_memory_mib state_bytes metrics "
    "latency_ms_by_signature parity lowering lowerings int8_share float_ops "
    "float_layers error_by_layer"
).split()


@keras.saving.register_keras_serializable("kerasseq_test")
class CumulativeProduct(keras.layers.Layer):
    def call(self, inputs):
        return tf.math.cumprod(inputs, axis=1)


@keras.saving.register_keras_serializable("kerasseq_test")
class OfPositive(keras.layers.Layer):
    def call(self, inputs):
        if tf.executing_eagerly() and tf.reduce_min(inputs) < 0:
            raise RuntimeError("negative")
        return 2 * inputs


def tree(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class TestBasics:
    def test_report(self, exported):
        _, folder, report = exported
        assert json.loads((folder / "report.json").read_text()) == report
        names = ["task", "data", "metrics", "training", "artifacts", "warnings"]
        assert list(report) == names and report["warnings"] == []
        assert report["metrics"] == {"accuracy": 0.5}
        assert [a["file"] for a in report["artifacts"]] == [
            "model.tflite",
            "saved_model",
        ]
        assert all(list(a) == KEYS for a in report["artifacts"])

    def test_tflite_entry(self, exported):
        _, folder, report = exported
        entry = report["artifacts"][0]
        assert entry["bytes"] == (folder / "model.tflite").stat().st_size
        assert entry["signatures"] == ["serve", "count"]
        assert entry["precision"] == "float32"
        assert entry["flex_ops"] == entry["custom_ops"] == []
        assert entry["dynamic_shapes"] is False
        assert entry["ops"]["WHILE"] == 5
        assert (
            {"ARG_MAX", "WHILE"} <= set(entry["gpu_refused_ops"]) <= set(entry["ops"])
        )
        assert entry["latency_ms"] == entry["latency_ms_by_signature"]["serve"] > 0
        assert 0 < entry["peak_memory_mib"] < 100
        assert entry["parity"]["count"]["token_agreement"] == 1.0
        assert entry["parity"]["count"]["samples"] == 2
        assert entry["max_abs_diff"] < 1e-5

    def test_folder_holds_the_artifacts_only(self, exported):
        _, folder, _ = exported
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["model.tflite", "report.html", "report.json", "saved_model"]
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    def test_model_is_untouched(self, exported):
        model = exported[0]
        assert model.compute_dtype == "float32"
        assert model.get_layer("wide").dtype_policy.name == "mixed_float16"


class TestNumbers:
    def test_equals_the_mixed_model(self, exported):
        model, folder, _ = exported
        x = np.random.default_rng(0).standard_normal((1, 6, 4)).astype("float32")
        received = lite.Runner(folder / "model.tflite").run("serve", x=x)["scores"]
        np.testing.assert_allclose(received, model(x), atol=2e-2)

    def test_saved_model_without_keras(self, exported):
        _, folder, _ = exported
        x = np.full((1, 6, 4), 0.25, "float32")
        code = (
            "import sys; sys.modules['keras'] = None  # any import of it raises\n"
            "import tensorflow as tf\n"
            "s = tf.saved_model.load(sys.argv[1]).signatures['serve']\n"
            "y = s(x=tf.fill((1, 6, 4), 0.25))['scores']\n"
            "print(sys.modules['keras'], *y.numpy()[0].tolist())"
        )
        output = subprocess.run(
            [sys.executable, "-c", code, str(folder / "saved_model")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        expected = lite.Runner(folder / "model.tflite").run("serve", x=x)["scores"][0]
        assert output[0] == "None"
        np.testing.assert_allclose([float(v) for v in output[1:]], expected, atol=1e-6)

    def test_large_outputs(self, tmp_path):
        """Differences are relative to the size of the outputs."""
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Dense(128, "tanh"), keras.layers.Dense(1)]
        model = keras.Sequential(
            [keras.Input((13,), name="x"), *layers, keras.layers.Rescaling(1e5, 2e5)]
        )
        rows = {"x": np.random.default_rng(0).normal(size=(20, 13))}
        report = export.export_model(model, tmp_path, samples=rows)
        entry = report["artifacts"][0]
        assert entry["max_abs_diff"] > 1e-4 > entry["max_scaled_diff"]
        assert entry["correlation"] > 0.9999

    def test_no_seeds_in_the_file(self, tmp_path):
        """Dropout of a recurrent layer draws its masks in training alone."""
        lstm = keras.layers.LSTM(4, dropout=0.5, recurrent_dropout=0.5)
        model = keras.Sequential([keras.Input((5, 3), name="x"), lstm])
        report = export.export_model(model, tmp_path, loop_strategy="while")
        assert not {"VAR_HANDLE", "CALL_ONCE"} & set(report["artifacts"][0]["ops"])

    def test_upsampling_is_an_op_of_a_gpu(self, tmp_path):
        layers = [keras.Input((4, 4, 2), name="x"), keras.layers.UpSampling2D()]
        report = export.export_model(keras.Sequential(layers), tmp_path)
        assert report["artifacts"][0]["ops"] == {"RESIZE_NEAREST_NEIGHBOR": 1}

    def test_the_twin_is_compared_on_the_samples(self, tmp_path):
        """Not on noise, on which this model does not run."""
        model = keras.Sequential([keras.Input((3,), name="x"), OfPositive()])
        with pytest.warns(UserWarning, match="does not run on random inputs"):
            export.export_model(model, tmp_path)
        rows = {"x": np.random.default_rng(0).uniform(1, 2, (4, 3))}
        report = export.export_model(model, tmp_path, samples=rows)
        assert report["warnings"] == []

    def test_default_signature(self, tmp_path):
        left = keras.Input((3,), name="left")
        right = keras.Input((3,), dtype="int32", name="right")
        x = left + keras.ops.cast(right, "float32")
        outputs = {"sum": x, "double": keras.layers.Rescaling(2.0)(x)}
        model = keras.Model({"left": left, "right": right}, outputs)
        report = export.export_model(model, str(tmp_path / "new" / "demo"))
        runner = lite.Runner(tmp_path / "new" / "demo" / "model.tflite")
        result = runner.run(left=[[1.0, 2.0, 3.0]], right=[[1, 1, 1]])
        assert result["sum"].tolist() == [[2.0, 3.0, 4.0]]
        assert result["double"].tolist() == [[4.0, 6.0, 8.0]]
        assert report["artifacts"][0]["parity"]["serve"]["samples"] == 3


class TestErrors:
    def test_flex_is_refused(self, exported, tmp_path):
        inputs = keras.Input((4, 4), name="x")
        x = keras.layers.Dense(4)(inputs)
        model = keras.Model(inputs, CumulativeProduct(name="running_product")(x))
        folder = exported[1]
        before = tree(folder)
        with pytest.raises(ValueError, match="'Cumprod' in layer 'running_product'"):
            export.export_model(model, folder)
        assert tree(folder) == before
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    def test_parity_is_enforced(self, exported, tmp_path):
        model = exported[0]
        with pytest.raises(
            ValueError, match="difference of output .* over 3 samples.*tolerance=-1"
        ):
            export.export_model(model, tmp_path / "demo", tolerance=-1)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("kind", ["is a file", "parent is a file"])
    def test_unusable_folder(self, exported, tmp_path, kind):
        path = tmp_path / "file"
        path.write_text("")
        path = path if kind == "is a file" else path / "demo"
        with pytest.raises(ValueError, match="output folder"):
            export.export_model(exported[0], path)

    def test_report_values(self, exported, tmp_path):
        card = {"metrics": {"score": {1}}}
        with pytest.raises(ValueError, match=r"\['score'\] holds what JSON cannot"):
            export.export_model(exported[0], tmp_path / "a", card=card)

    @pytest.mark.parametrize(
        ("card", "message"),
        [
            ({"training": 3}, "`training` of `card` must be a dict"),
            ({"score": 3}, "keys out of .'task', 'data', 'metrics', 'training'"),
            ("demo", "must be a dict"),
        ],
    )
    def test_card(self, exported, tmp_path, card, message):
        with pytest.raises(ValueError, match=message):
            export.export_model(exported[0], tmp_path / "a", card=card)

    def test_no_model(self, tmp_path):
        with pytest.raises(ValueError, match="Only a `keras.Model` can be exported"):
            export.export_model("model.keras", tmp_path / "a")

    def test_main_signature(self, exported, tmp_path):
        with pytest.raises(ValueError, match="must be one of .'serve'.*'greedy'"):
            export.export_model(exported[0], tmp_path / "a", main_signature="greedy")

    def test_no_converter(self, exported, tmp_path, monkeypatch):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(ImportError, match="tensorflow backend needs tensorflow"):
            export.export_model(exported[0], tmp_path / "a")

    def test_another_backend(self, exported, tmp_path, monkeypatch):
        monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
        with pytest.raises(ImportError, match="TensorFlow or the JAX.*=torch"):
            export.export_model(exported[0], tmp_path / "a")
