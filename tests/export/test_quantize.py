import re

import keras
import numpy as np
import pytest

from kerasseq import export, layers, lite, models
from kerasseq.export import converter, front_ends
from tests.export import architectures, tagger

IMAGES = (30, 16, 16, 3)

ALL = ("float16", "dynamic", "int8")
OF_ATTENTION_AND_NORMS = (
    "ADD",
    "BATCH_MATMUL",
    "GELU",
    "MEAN",
    "MUL",
    "NEG",
    "RSQRT",
    "SOFTMAX",
    "SQUARED_DIFFERENCE",
)


def quantized(folder, cell, *weights_only):
    model = tagger.build(cell)
    data = tagger.padded(*range(1, 11), *range(1, 11))
    report = export.export_model(
        model,
        folder,
        samples=tagger.SAMPLES,
        loop_strategy="while",
        quantize=[*weights_only, export.Int8(data)],
    )
    return model, folder, {entry["precision"]: entry for entry in report["artifacts"]}


@pytest.fixture(scope="module")
def lstm(tmp_path_factory):
    return quantized(
        tmp_path_factory.mktemp("lstm"), layers.LSTM, "float16", export.Dynamic()
    )


@pytest.fixture(scope="module")
def gru(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gru")
    return quantized(folder, layers.GRU, "dynamic")


class TestBasics:
    def test_files(self, lstm):
        _, folder, entries = lstm
        files = [f"model_{name}.tflite" for name in ALL]
        assert [entries[name]["file"] for name in ALL] == files
        assert all((folder / name).exists() for name in files)
        sizes = [entries[name]["bytes"] for name in ("dynamic", "float16")]
        size = (folder / "model.tflite").stat().st_size
        assert sizes[0] < 0.5 * size and sizes[1] < 0.8 * size

    @pytest.mark.parametrize("precision", ["dynamic", "int8"])
    def test_lstm_is_fused_and_int8(self, lstm, precision):
        entry = lstm[2][precision]
        assert entry["ops"]["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 3
        assert "WHILE" not in entry["ops"]
        assert entry["int8_share"] == 1.0
        assert entry["latency_ms"] > 0

    @pytest.mark.slow
    def test_loops_in_int8_are_written_out(self, gru):
        entries = gru[2]
        assert entries["dynamic"]["ops"]["WHILE"] == 3
        assert "WHILE" not in entries["int8"]["ops"]
        assert entries["int8"]["lowering"] == "unrolled"
        assert entries["int8"]["int8_share"] == 1.0


class TestNumbers:
    @pytest.mark.parametrize(
        "name", ["lstm", pytest.param("gru", marks=pytest.mark.slow)]
    )
    def test_close_to_the_model(self, name, request):
        model, folder, entries = request.getfixturevalue(name)
        bounds = {"float16": 2e-3, "dynamic": 0.02, "int8": 0.15}
        for precision in sorted(set(bounds) & set(entries)):
            entry = entries[precision]
            assert 0 < entry["mean_abs_diff"] <= entry["max_abs_diff"]
            assert entry["max_abs_diff"] < bounds[precision]
            runner = lite.Runner(folder / entry["file"])
            for case in 2 * tagger.SAMPLES["serve"]:  # each run starts anew
                received, wanted = runner.run(**case)["y"], model(case["ids"])
                np.testing.assert_allclose(received, wanted, atol=bounds[precision])


class TestErrors:
    @pytest.mark.parametrize(
        "quantize, message",
        [
            ([export.Int8({"other": []})], "every signature: missing .'serve'"),
            ([export.Int8([{"ids": [1]}])], "must have the shape"),
            (["int8"], r"write `quantize=\[kerasseq.export.Int8\(data\)\]`"),
        ],
    )
    def test_arguments(self, quantize, message, tmp_path):
        with pytest.raises(ValueError, match=message):
            export.export_model(
                tagger.build(layers.LSTM), tmp_path / "a", quantize=quantize
            )
        assert list(tmp_path.iterdir()) == []

    def test_no_effect(self, tmp_path):
        model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Dense(2)])
        (tmp_path / "model_dynamic.tflite").write_bytes(b"of an earlier export")
        report = export.export_model(
            model, tmp_path, quantize=["dynamic", "float16"], samples={"x": np.eye(3)}
        )
        files = [entry["file"] for entry in report["artifacts"]]
        assert files == ["model.tflite", "model_float16.tflite", "saved_model"]
        warning, *_ = report["warnings"]
        assert warning.startswith("There is no model_dynamic.tflite.")
        assert "had no effect" in warning and "no weights that large" in warning
        assert not (tmp_path / "model_dynamic.tflite").exists()

    def test_small_weights_and_representative_rows(self, tmp_path):
        """All weights are quantized to int8, and real rows are what it is judged on."""
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((1,), name="x")])
        model.add(keras.layers.Dense(16, "relu"))
        model.add(keras.layers.Dense(1))
        rows = {"x": np.random.default_rng(0).uniform(20, 30, (200, 1))}
        report = export.export_model(model, tmp_path, quantize=[export.Int8(rows)])
        int8 = report["artifacts"][1]
        assert int8["file"] == "model_int8.tflite"
        runner = lite.Runner(tmp_path / "model_int8.tflite")
        x = rows["x"][:20].astype("float32")
        (found,) = zip(*(runner.run(x=row[None]).values() for row in x), strict=True)
        difference = np.abs(np.concatenate(found) - model.predict(x, verbose=0)).max()
        assert int8["max_abs_diff"] == pytest.approx(difference, rel=1e-3)
        assert any("larger than model.tflite" in text for text in report["warnings"])

    def test_rows_that_say_nothing(self, tmp_path):
        model = keras.Sequential([keras.Input((2,), name="x"), keras.layers.Dense(2)])
        rows = {"x": np.ones((5, 2))}
        report = export.export_model(model, tmp_path, quantize=[export.Int8(rows)])
        assert any("same in all 5 samples" in text for text in report["warnings"])
        rows["x"][3, 1] = np.nan
        with pytest.raises(ValueError, match="input 'x' of signature.*sample 3"):
            export.export_model(model, tmp_path, quantize=[export.Int8(rows)])

    def test_crash_of_the_converter(self, tmp_path):
        """The loop of a layer's own stock GRU is a WHILE, and int8 kills the child."""

        @keras.saving.register_keras_serializable()
        class Own(keras.layers.Layer):
            def build(self, shape):
                self.gru = keras.layers.GRU(4)
                self.gru.build(shape)

            def call(self, x):
                return self.gru(x)

        model = keras.Sequential([keras.Input((6, 40), name="x"), Own()])
        data = {"serve": [{"x": np.ones((1, 6, 40))}]}
        quantize = [export.Int8(data), "float16"]
        report = export.export_model(model, tmp_path, quantize=quantize)
        files = [entry["file"] for entry in report["artifacts"]]
        assert files == ["model.tflite", "model_float16.tflite", "saved_model"]
        crash, *_ = report["warnings"]
        assert re.search("to int8.*no int8 loops.*by signal", crash)

    def test_int8_crash_names_the_remedy(self, tmp_path, monkeypatch):
        code = "import os\nos.kill(os.getpid(), 11)\n"
        (tmp_path / "crashing").mkdir()
        (tmp_path / "crashing" / "convert_child.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        front_end = front_ends.FrontEnd("crashing", "crashing", (), (), (), "")
        job = converter.Job(tmp_path, tmp_path / "a.tflite", ["serve"], "int8")
        with pytest.raises(RuntimeError, match='no int8 loops.*use "dynamic".*11'):
            converter.convert(front_end, [job], [])


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """Entries of a small Vision Transformer's int8 file, plain and with float ops."""
    model = models.vit(
        (16, 16, 1), 10, patch_size=4, num_layers=2, include_rescaling=True, seed=0
    )
    pixels = np.random.default_rng(0).integers(0, 256, (40, 1, 16, 16, 1), "uint8")
    data = [{"image": image} for image in pixels]
    return [
        export.export_model(
            model,
            tmp_path_factory.mktemp("vit"),
            signatures=export.image_signature((16, 16, 1), output="logits"),
            samples={"serve": data[:20]},
            quantize=[export.Int8(data, float_ops=float_ops)],
        )["artifacts"][1]
        for float_ops in ((), OF_ATTENTION_AND_NORMS)
    ]


class TestFloatOps:
    @pytest.mark.slow
    def test_transformer_gains(self, vit):
        plain, kept = vit
        assert kept["mean_abs_diff"] < 0.8 * plain["mean_abs_diff"]
        assert kept["max_abs_diff"] < plain["max_abs_diff"]

    @pytest.mark.slow
    def test_weights_stay_int8(self, vit):
        plain, kept = vit
        assert plain["int8_share"] == 1.0 and kept["int8_share"] > 0.95
        assert kept["bytes"] < 1.1 * plain["bytes"]
        assert plain["float_ops"] == []
        assert kept["float_ops"] == list(OF_ATTENTION_AND_NORMS)


class TestFloatLayers:
    def test_one_layer(self, tmp_path):
        keras.backend.clear_session()  # names without numbers
        keras.utils.set_random_seed(0)
        images = np.random.default_rng(0).normal(size=IMAGES)
        report = export.export_model(
            architectures.conv(),
            tmp_path,
            quantize=[export.Int8({"x": images}, float_layers=["conv2d_1"])],
        )
        entry = report["artifacts"][1]
        assert entry["float_layers"] == ["conv2d_1"]
        # In and out of the file, and of the layer.
        assert entry["ops"]["DEQUANTIZE"] == entry["ops"]["QUANTIZE"] == 2
        assert 0 < entry["int8_share"] < 0.5
        layers = {row["layer"] for row in entry["error_by_layer"]}
        assert {"conv2d", "dense", "batch_normalization"} <= layers
        assert "conv2d_1" not in layers
        assert 0 < max(row["relative_error"] for row in entry["error_by_layer"]) < 0.2

    def test_errors_of_a_classifier(self, tmp_path):
        """No layer of it is off by more than its outputs are."""
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((784,), name="x")])
        model.add(keras.layers.Dense(64, "relu", name="features"))
        model.add(keras.layers.Dense(10, "softmax", name="probabilities"))
        images = np.random.default_rng(0).uniform(size=(64, 784))
        report = export.export_model(
            model, tmp_path, quantize=[export.Int8({"x": images})]
        )
        errors = report["artifacts"][1]["error_by_layer"]
        names = [row["layer"] for row in errors]
        assert names == ["features", "probabilities", "probabilities"]
        assert max(row["relative_error"] for row in errors) < 0.05

    def test_pattern_of_no_layer(self, tmp_path):
        int8 = export.Int8({}, float_layers=["lstm*"])
        with pytest.raises(ValueError, match="'lstm.*matches none of"):
            export.export_model(architectures.dense(), tmp_path / "a", quantize=[int8])
        assert list(tmp_path.iterdir()) == []
